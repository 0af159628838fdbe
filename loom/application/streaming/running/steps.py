"""Calling a step that stands alone, outside of a chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from loom.application.streaming.plan import StepPlan
from loom.application.streaming.running.guard import Guarded
from loom.application.streaming.running.items import Item
from loom.application.streaming.running.operators import Opening
from loom.application.streaming.running.results import ResultCheck
from loom.domain.context import Context, current_context
from loom.domain.message import Envelope


class StepCall:
    """One step, its policy, how it wants its argument, and what it is to return."""

    def __init__(self, plan: StepPlan, opening: Opening) -> None:
        self._plan = plan
        self._guard = opening.guard
        self.name = plan.name
        self.process = opening.process_of(plan)
        self.check = ResultCheck(plan)
        self.guarded = Guarded(name=plan.name, failure=plan.failure)

    async def call(self, items: Sequence[Item], argument: Any, read: Callable[[Any], Any]) -> Any:
        """What ``read`` makes of the result of the step, or ``GONE``. What ``read`` raises is the step's failure."""
        self.enter(items)
        return await self._guard.call(self.guarded, items, partial(self.process, argument), read=read)

    def enter(self, items: Sequence[Item]) -> None:
        """Let the application know whose work is done, where the step can reach it."""
        if self._plan.dependencies and items:
            current_context.set(Context.from_headers(items[0].envelope.headers))

    def argument(self, envelope: Envelope[Any]) -> Any:
        """What the step is given of an envelope."""
        return envelope if self._plan.whole else envelope.payload

    def arguments(self, items: Sequence[Item]) -> list[Any]:
        """What it is given of a batch."""
        return [self.argument(item.envelope) for item in items]
