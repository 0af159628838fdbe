"""The report: ratios of one run, with the goal beside each."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from benchmarks.ratios import Ratio, ratio
from benchmarks.rest.goals import GOALS, MEMORY_GOAL, START_GOAL
from benchmarks.rest.kinds import Kind
from benchmarks.rest.measure import Sample, Samples
from benchmarks.rest.programs import FASTAPI, FLOOR, LOOM
from benchmarks.tables import table

Found = Mapping[Kind, Samples]
Value = Callable[[Sample], float]


def rates_table(found: Found, database: str) -> str:
    """Answers per second: how many times as many loom gives."""
    head = ["answers per second", "loom / FastAPI", "goal", "loom / floor", "goal", "floor / FastAPI"]
    rows = []
    for kind, samples in found.items():
        goal = GOALS.get(kind.name)
        rows.append(
            [
                kind.name,
                _cell(samples, LOOM, FASTAPI, _rate),
                f"{goal.fastapi(database):.2f}" if goal else "",
                _cell(samples, LOOM, FLOOR, _rate),
                f"{goal.floor:.2f}" if goal else "",
                _cell(samples, FLOOR, FASTAPI, _rate),
            ]
        )
    return table(head, rows)


def costs_table(found: Found) -> str:
    """Processor time for an answer. It suffers less than the rate from whatever else the machine does."""
    head = ["processor time of the program", "FastAPI / loom", "floor / loom", "FastAPI / floor"]
    rows = [
        [kind.name, *(_cell(samples, *pair, _cost) for pair in ((FASTAPI, LOOM), (FLOOR, LOOM), (FASTAPI, FLOOR)))]
        for kind, samples in found.items()
    ]
    return table(head, rows)


def latencies_table(found: Found) -> str:
    """Latencies of writes: a figure under 1 means that loom's is shorter."""
    head = ["latency of writes", "p50 loom / FastAPI", "p99 loom / FastAPI", "p50 loom / floor", "p99 loom / floor"]
    rows = []
    for kind, samples in found.items():
        if kind.writes:
            cells = [_cell(samples, LOOM, other, value) for other in (FASTAPI, FLOOR) for value in (_p50, _p99)]
            rows.append([kind.name, *cells])
    return table(head, rows) if rows else ""


def footprint_table(starts: Mapping[str, Sequence[float]], memory: Mapping[str, int]) -> str:
    """Start and memory: a figure under 1 means that loom needs less."""
    started = [str(ratio(starts[LOOM], starts[other])) for other in (FASTAPI, FLOOR)]
    resident = [str(Ratio((memory[LOOM] / memory[other],))) for other in (FASTAPI, FLOOR)]
    rows = [
        ["start: process to first 200", started[0], f"{START_GOAL:.2f}", started[1]],
        ["resident memory after the load", resident[0], f"{MEMORY_GOAL:.2f}", resident[1]],
    ]
    return table(["footprint", "loom / FastAPI", "goal (most)", "loom / floor"], rows)


def bare_table(found: Found) -> str:
    """The figures of this machine, as context for the ratios and for nothing else."""
    head = ["context, not a result", "program", "answers/s", "CPU us", "p50 ms", "p99 ms", "failed"]
    rows = [
        [
            kind.name,
            program,
            f"{_middle(series, _rate):.0f}",
            f"{_middle(series, _cost) * 1e6:.0f}",
            f"{_middle(series, _p50) * 1e3:.1f}",
            f"{_middle(series, _p99) * 1e3:.1f}",
            str(sum(sample.burst.failed for sample in series)),
        ]
        for kind, samples in found.items()
        for program, series in samples.items()
    ]
    return table(head, rows)


def failures(found: Found) -> list[str]:
    """One line for each program and kind that had answers outside 2xx, or lost some."""
    return [
        f"{program} failed {failed} of {sum(each.burst.answers for each in series)} times: {kind.name}"
        for kind, samples in found.items()
        for program, series in samples.items()
        if (failed := sum(each.burst.failed for each in series))
    ]


def _cell(samples: Samples, above: str, below: str, value: Value) -> str:
    return str(ratio([value(each) for each in samples[above]], [value(each) for each in samples[below]]))


def _middle(series: Sequence[Sample], value: Value) -> float:
    return median(value(each) for each in series)


def _rate(sample: Sample) -> float:
    return sample.burst.rate


def _cost(sample: Sample) -> float:
    return sample.cpu


def _p50(sample: Sample) -> float:
    return sample.burst.p50


def _p99(sample: Sample) -> float:
    return sample.burst.p99
