"""Whether a step returned what it says that it returns. What to look for is decided when the flow is compiled."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from loom.application.streaming.plan import StepPlan
from loom.domain.errors import StepFailed
from loom.domain.message import Envelope


class ResultCheck:
    """Checks one result of a step: a payload, or an envelope around one.

    Attributes:
        wanted: the class that nearly every payload is of; ``None`` where the step may return anything. A loop over many
            records compares with it itself, and asks ``payload`` only about what is of another class.
    """

    def __init__(self, plan: StepPlan) -> None:
        self.wanted = plan.accepts[0] if plan.accepts else None
        self._classes = plan.accepts
        self._plan = plan

    def result(self, result: Any) -> Any:
        """The result, where it is right.

        Raises:
            StepFailed: it is something else.
        """
        return self.whole(result) if self._plan.gives_whole else self.payload(result)

    def whole(self, result: Any) -> Envelope[Any]:
        """The result of a step that returns envelopes; raises as ``result`` does."""
        if not isinstance(result, Envelope):
            raise self.wrong(result, f"Envelope[{self._plan.gives}]")
        self.payload(result.payload)
        return result

    def payload(self, payload: Any) -> Any:
        """A payload, where it is of one of the classes; raises as ``result`` does."""
        if self.wanted is not None and not isinstance(payload, self._classes):
            raise self.wrong(payload, self._plan.gives)
        return payload

    def many(self, results: Any) -> list[Any]:
        """The results of a step that returns several; raises as ``result`` does."""
        found = self.listed(results)
        for index in self.odd(found):
            self.result(found[index])
        return found

    def odd(self, results: list[Any]) -> list[int]:
        """The positions of results that deserve a closer look."""
        wanted = self.wanted
        if self._plan.gives_whole:
            return [
                index
                for index, each in enumerate(results)
                if type(each) is not Envelope or type(each.payload) is not wanted
            ]
        return [index for index, each in enumerate(results) if type(each) is not wanted]

    def listed(self, results: Any) -> list[Any]:
        """The same, without a look at the single ones."""
        if not isinstance(results, Iterable) or isinstance(results, str | bytes | Mapping):
            raise self.wrong(results, f"list[{self._plan.gives}]")
        return list(results)

    def wrong(self, found: Any, wanted: str) -> StepFailed:
        """The error for a result that is not what the step says."""
        if inspect.iscoroutine(found):
            found.close()
            return StepFailed(
                f"{self._plan.name} returned a coroutine, not {wanted}", remedy="write async def process, and await it"
            )
        return StepFailed(f"{self._plan.name} returned {type(found).__name__}, not {wanted}")
