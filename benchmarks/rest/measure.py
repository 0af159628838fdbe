"""Rounds of bursts: in each round every program is measured once, so that noise hits all alike."""

from collections.abc import Mapping, Sequence

import attrs

from benchmarks.cores import Cores, pinned
from benchmarks.footprint import cpu_seconds
from benchmarks.load import Burst, Call, LoadGenerator
from benchmarks.ratios import ratio
from benchmarks.rest.programs import LOOM
from benchmarks.rest.subjects import Running

CONNECTIONS = 16


@attrs.frozen(kw_only=True)
class Effort:
    """How long and how often. Times are seconds."""

    warm_up: float
    burst: float
    rounds: int
    most_rounds: int


QUICK = Effort(warm_up=1, burst=1, rounds=1, most_rounds=1)
FULL = Effort(warm_up=1, burst=2, rounds=5, most_rounds=9)


@attrs.frozen
class Sample:
    """One burst, and the processor time that the program took for each answer."""

    burst: Burst
    cpu: float


Samples = Mapping[str, Sequence[Sample]]
"""By program, one for each round."""


def measure(
    calls: Mapping[str, Sequence[Call]],
    running: Mapping[str, Running],
    load: LoadGenerator,
    cores: Cores,
    effort: Effort,
) -> Samples:
    """Measure one kind of request in all programs, until the ratios have settled."""
    programs = list(running)
    samples: dict[str, list[Sample]] = {program: [] for program in programs}
    with pinned(cores.rest):
        for program in programs:
            load.burst(running[program].port, calls[program], connections=CONNECTIONS, seconds=effort.warm_up)
        for done in range(effort.most_rounds):
            # Each round begins with another program, so that none always follows the same one.
            turn = done % len(programs)
            for program in programs[turn:] + programs[:turn]:
                samples[program].append(_sample(running[program], calls[program], load, effort.burst))
            if done + 1 >= effort.rounds and _settled(samples):
                break
    return samples


def _sample(running: Running, calls: Sequence[Call], load: LoadGenerator, seconds: float) -> Sample:
    before = cpu_seconds(running.pid)
    burst = load.burst(running.port, calls, connections=CONNECTIONS, seconds=seconds)
    return Sample(burst, (cpu_seconds(running.pid) - before) / burst.answers)


def _settled(samples: Samples) -> bool:
    rates = {program: [sample.burst.rate for sample in found] for program, found in samples.items()}
    return all(ratio(rates[LOOM], rates[other]).settled for other in samples if other != LOOM)
