"""How every sink writes: many at once while that works, fewer where one of them is at fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from loom.application.streaming.plan import SinkPlan
from loom.application.streaming.running.fault import Fault, fault_of
from loom.application.streaming.running.guard import GONE, Guarded
from loom.application.streaming.running.items import Item, Moved, records
from loom.application.streaming.running.operators import Opening

Put = Callable[[list[Item]], Awaitable[Mapping[int, Exception]]]
"""Writes records. Either says which ones were not written, by position, and writes the others; or raises, and writes
none."""


class Writing:
    """Writes records through ``put`` under the policy of a sink.

    A record that fails by its own fault meets its policy alone, with all the attempts that the policy has: no good one
    goes with it, and the outcome does not depend on what happened to arrive together. Where the world is at fault, only
    what it did not take is written again.
    """

    def __init__(self, plan: SinkPlan, opening: Opening, put: Put) -> None:
        self._put = put
        self._target = plan.target
        self._guard = opening.guard
        self._tally = opening.tally
        self._guarded = Guarded(name=plan.title, failure=plan.failure, by_user=False)

    async def write(self, moved: list[Moved]) -> None:
        """Write all, and release what is durable."""
        items = records(moved)
        if items:
            await self._together(items)

    async def _together(self, items: list[Item]) -> None:
        outage = self._guard.world.outage(f"{self._guarded.name} with {len(items)} records")
        while items:
            try:
                failed = await self._put(items)
            except Exception as error:  # noqa: BLE001 - a record's own error is met again by that record alone
                if fault_of(error, by_user=False) is Fault.RECORD:
                    outage.over()
                    await self._apart(items, error)
                    return
                await outage.wait(error, by_user=False)
                continue
            self._written([item for index, item in enumerate(items) if index not in failed])
            away = {at: why for at, why in failed.items() if fault_of(why, by_user=False) is not Fault.RECORD}
            for index in sorted(failed.keys() - away.keys()):
                await self._alone(items[index], failed[index])
            if not away:
                outage.over()
                return
            items = [items[index] for index in sorted(away)]
            await outage.wait(next(iter(away.values())), by_user=False)

    async def _apart(self, items: list[Item], error: Exception) -> None:
        """Records that were refused together: their halves, down to the record that is at fault."""
        if len(items) == 1:
            await self._alone(items[0], error)
            return
        half = len(items) // 2
        await self._together(items[:half])
        await self._together(items[half:])

    async def _alone(self, item: Item, error: Exception) -> None:
        if await self._guard.call(self._guarded, [item], partial(self._one, item), error) is not GONE:
            self._written([item])

    async def _one(self, item: Item) -> None:
        for error in (await self._put([item])).values():
            raise error

    def _written(self, items: list[Item]) -> None:
        self._tally.written[self._target] += len(items)
        for item in items:
            item.lineage.release()
