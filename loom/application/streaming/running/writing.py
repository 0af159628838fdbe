"""How every sink writes: many at once while that works, one by one where it does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from loom.application.streaming.plan import SinkPlan
from loom.application.streaming.running.guard import GONE, Guarded
from loom.application.streaming.running.items import Item, Moved, records
from loom.application.streaming.running.operators import Opening

Put = Callable[[list[Item]], Awaitable[None]]


class Writing:
    """Writes records through ``put`` under the policy of a sink.

    Records that fail together are tried again one by one, each with all the attempts that the policy has, so that
    one bad record takes no good one with it and the outcome does not depend on what happened to arrive together.
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
        if len(items) > 1 and await self._together(items):
            self._written(items)
            return
        for item in items:
            if await self._guard.call(self._guarded, [item], partial(self._put, [item])) is not GONE:
                self._written([item])

    async def _together(self, items: list[Item]) -> bool:
        try:
            await self._put(items)
        except Exception:  # noqa: BLE001 - each record meets its error again by itself, and its policy
            return False
        return True

    def _written(self, items: list[Item]) -> None:
        self._tally.written[self._target] += len(items)
        for item in items:
            item.lineage.release()
