"""``python -m benchmarks``: run the comparisons and print ratios.

python -m benchmarks                      all of them
python -m benchmarks rest --quick         one, with short bursts: a look, not a result
python -m benchmarks rest --verbose       with the bare rates of this machine as context
"""

import argparse
import importlib
import sys

from benchmarks.options import Options

AREAS = {"rest": "benchmarks.rest.run", "kernel": "benchmarks.kernel.run"}
"""Each area's module has ``main(options) -> int``, the exit status."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare loom with hand-written code.")
    parser.add_argument("areas", nargs="*", metavar="area", help=f"one or more of: {', '.join(AREAS)}")
    parser.add_argument("--quick", action="store_true", help="short bursts and few rounds")
    parser.add_argument("--verbose", action="store_true", help="print bare figures beside the ratios")
    parser.add_argument("--database", action="append", choices=("sqlite", "postgresql"), help="only this database")
    parser.add_argument("--only", action="append", metavar="TEXT", help="only requests whose name holds this text")
    given = parser.parse_args()
    unknown = set(given.areas) - set(AREAS)
    if unknown:
        parser.error(f"unknown area {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    options = Options(
        quick=given.quick,
        verbose=given.verbose,
        databases=tuple(given.database or ("sqlite", "postgresql")),
        only=tuple(given.only or ()),
    )
    statuses: list[int] = [importlib.import_module(AREAS[name]).main(options) for name in given.areas or AREAS]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
