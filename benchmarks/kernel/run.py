"""Runs the small comparisons of the kernel."""

import asyncio
from collections.abc import Mapping

from benchmarks.cores import find_cores, pinned
from benchmarks.kernel import calls, codecs
from benchmarks.kernel.micro import Timed, Timing
from benchmarks.options import Options
from benchmarks.tables import table

FULL = Timing(rounds=15, repeats=5_000)
QUICK = Timing(rounds=3, repeats=1_000)


def main(options: Options) -> int:
    """Print the comparison."""
    timing = QUICK if options.quick else FULL
    with pinned(find_cores().program):
        invoked = asyncio.run(calls.time_calls(timing))
        coded = codecs.time_codecs(timing)
    print("\n## kernel\n\nProcessor time, as medians of interleaved rounds. Over 1 means that loom takes longer.\n")
    print(_table("one call", invoked, calls.EXECUTOR, [calls.BY_HAND]), end="\n\n")
    print(_table("JSON", coded, codecs.LOOM, [codecs.MSGSPEC, codecs.CATTRS]))
    if options.verbose:
        print("\n" + _bare({**invoked, **coded}))
    return 0


def _table(title: str, found: Mapping[str, Timed], ours: str, others: list[str]) -> str:
    rows = [[kind, *(str(each.ratio(ours, other)) for other in others)] for kind, each in found.items()]
    return table([title, *(f"{ours} / {other}" for other in others)], rows)


def _bare(found: Mapping[str, Timed]) -> str:
    rows = [[kind, name, f"{each.microseconds(name):.1f}"] for kind, each in found.items() for name in each.seconds]
    return table(["context, not a result", "by", "CPU us"], rows)
