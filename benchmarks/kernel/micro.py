"""Small pieces of work, timed side by side. Processor time counts: a busy machine does not change it much."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

import attrs

from benchmarks.ratios import Ratio, ratio

Work = Callable[[], object]


@attrs.frozen(kw_only=True)
class Timing:
    """How often, and how much work at a time."""

    rounds: int
    repeats: int


@attrs.frozen
class Timed:
    """Seconds of processor time for one piece of work, by name, one figure for each round."""

    seconds: Mapping[str, list[float]]

    def ratio(self, above: str, below: str) -> Ratio:
        return ratio(self.seconds[above], self.seconds[below])

    def microseconds(self, name: str) -> float:
        return median(self.seconds[name]) * 1e6


def timed(works: Mapping[str, Work], timing: Timing) -> Timed:
    """Time functions, interleaved."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for done in range(timing.rounds + 1):
        for name, work in works.items():
            begin = time.process_time()
            for _ in range(timing.repeats):
                work()
            # The first round warms up.
            if done:
                found[name].append((time.process_time() - begin) / timing.repeats)
    return Timed(found)


async def timed_async(works: Mapping[str, Callable[[], Awaitable[object]]], timing: Timing) -> Timed:
    """Time coroutine functions, interleaved."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for done in range(timing.rounds + 1):
        for name, work in works.items():
            begin = time.process_time()
            for _ in range(timing.repeats):
                await work()
            if done:
                found[name].append((time.process_time() - begin) / timing.repeats)
            await asyncio.sleep(0)
    return Timed(found)
