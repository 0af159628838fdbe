"""Calling a step that stands alone, outside of a chain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from loom.application.streaming.plan import StepPlan
from loom.application.streaming.running.guard import Guarded
from loom.application.streaming.running.items import Item
from loom.application.streaming.running.operators import Opening
from loom.domain.context import Context, current_context
from loom.domain.message import Envelope


class StepCall:
    """One step, its policy, and how it wants its argument."""

    def __init__(self, plan: StepPlan, opening: Opening) -> None:
        self._plan = plan
        self._guard = opening.guard
        self._process = opening.process_of(plan)
        self._guarded = Guarded(name=plan.name, failure=plan.failure)

    async def call(self, items: Sequence[Item], argument: Any, read: Callable[[Any], Any]) -> Any:
        """What ``read`` makes of the result of the step, or ``GONE``. What ``read`` raises is the step's failure."""
        if self._plan.dependencies and items:
            current_context.set(Context.from_headers(items[0].envelope.headers))

        async def attempt() -> Any:
            result = self._process(argument)
            return read(await result if inspect.isawaitable(result) else result)

        return await self._guard.call(self._guarded, items, attempt)

    def argument(self, envelope: Envelope[Any]) -> Any:
        """What the step is given of an envelope."""
        return envelope if self._plan.whole else envelope.payload
