"""Pinning: the program that is measured has a core of its own, and whatever drives it has another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import attrs


@attrs.frozen(kw_only=True)
class Cores:
    """Which core runs what; ``None`` where the machine cannot pin or has a single core.

    ``program`` runs what is measured, ``rest`` runs the load generator and database servers.
    """

    program: int | None
    rest: int | None

    @property
    def told(self) -> str:
        """The same in words, for the head of a report."""
        if self.program is None:
            return "not pinned: this machine cannot pin, or has one core"
        return f"program pinned to core {self.program}, load generator and database to core {self.rest}"


def find_cores() -> Cores:
    """The first two cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(usable) < 2:
        return Cores(program=None, rest=None)
    return Cores(program=usable[0], rest=usable[1])


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Run the block, and every process that it starts, on one core."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
