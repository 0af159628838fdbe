"""Runs the comparison of the three programs, on each database."""

import compileall
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import benchmarks
import loom
from benchmarks.cores import Cores, find_cores
from benchmarks.footprint import resident_bytes
from benchmarks.load import Call, LoadGenerator, load_generator
from benchmarks.options import Options
from benchmarks.rest import report
from benchmarks.rest.data import POOL_SIZE, Amount
from benchmarks.rest.databases import DATABASES
from benchmarks.rest.equality import differences
from benchmarks.rest.kinds import KINDS, Kind
from benchmarks.rest.measure import CONNECTIONS, FULL, QUICK, Effort, Samples, measure
from benchmarks.rest.programs import LOOM, MODULES
from benchmarks.rest.subjects import Running, all_serving, seed, serving

STARTS = 5


def main(options: Options) -> int:
    """Print the comparison; the exit status is 1 where answers differ or fail."""
    cores, load = find_cores(), load_generator()
    _precompile()
    print(f"REST: uvicorn with one worker, {CONNECTIONS} connections, pools of {POOL_SIZE}. Load: {load.name}.")
    print(f"{cores.told}. Ratios are medians of interleaved rounds, with the middle half of the rounds in brackets.")
    return max(_compare(name, options, cores, load) for name in options.databases)


def _precompile() -> None:
    """Compile both trees to bytecode: a start must not parse sources, as that of an installed package does not."""
    for module in (loom, benchmarks):
        compileall.compile_dir(Path(module.__path__[0]), quiet=2)


def _compare(database: str, options: Options, cores: Cores, load: LoadGenerator) -> int:
    amount = Amount(tickets=500) if options.quick else Amount()
    with (
        DATABASES[database](cores) as urls,
        tempfile.TemporaryDirectory(prefix="loom-bench-log-") as logs,
    ):
        folder = Path(logs)
        for program, url in urls.items():
            seed(program, url, amount)
        starts = _starts(urls, folder, cores, rounds=2 if options.quick else STARTS)
        with all_serving(urls, folder, cores) as running:
            calls = _calls(running, options, amount)
            wrong = differences(calls, {program: each.ask for program, each in running.items()})
            if wrong:
                print(f"\n{database}: the programs do not give the same answers, so there is nothing to compare:")
                print("\n".join(wrong))
                return 1
            effort = QUICK if options.quick else FULL
            found = {kind: _measured(kind, calls[kind], running, load, cores, effort) for kind in calls if kind.alike}
            # Before what loom does alone: its events stay in the memory of the broker that it has in this program.
            memory = {program: resident_bytes(each.pid) for program, each in running.items()}
            rest = [kind for kind in calls if not kind.alike]
            found |= {kind: _measured(kind, calls[kind], running, load, cores, effort) for kind in rest}
    return _print(database, options, found, starts, memory)


def _starts(urls: Mapping[str, str], folder: Path, cores: Cores, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {program: [] for program in MODULES}
    for _ in range(rounds):
        for program, url in urls.items():
            with serving(program, url, folder, cores) as running:
                found[program].append(running.started_in)
    return found


def _calls(running: Mapping[str, Running], options: Options, amount: Amount) -> dict[Kind, dict[str, list[Call]]]:
    return {
        kind: {program: kind.calls_of(program, each.ask, amount) for program, each in running.items()}
        for kind in KINDS
        if options.wants(kind.name)
    }


def _print(
    database: str,
    options: Options,
    found: Mapping[Kind, Samples],
    starts: Mapping[str, list[float]],
    memory: Mapping[str, int],
) -> int:
    tables = [
        report.rates_table(found, database),
        report.costs_table(found),
        report.latencies_table(found),
        report.footprint_table(starts, memory),
        *([report.bare_table(found)] if options.verbose else []),
    ]
    failed = report.failures(found)
    print(f"\n## {database}\n\n" + "\n\n".join([*(each for each in tables if each), *failed]), flush=True)
    return int(any(line.startswith(LOOM) for line in failed))


def _measured(
    kind: Kind,
    calls: Mapping[str, list[Call]],
    running: Mapping[str, Running],
    load: LoadGenerator,
    cores: Cores,
    effort: Effort,
) -> Samples:
    print(f"  {kind.name} ...", file=sys.stderr, flush=True)
    return measure(calls, running, load, cores, effort)
