"""``ExpandStep``: one record in, any number of records out."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Iterable
from typing import Any, Generic, TypeVar

from loom.application.streaming.flow import Step
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import TransformPlan
from loom.application.streaming.running.guard import GONE
from loom.application.streaming.running.items import Item, with_payload
from loom.application.streaming.running.operators import TRANSFORMS, Opening, Rest
from loom.application.streaming.running.steps import StepCall
from loom.application.streaming.shapes import RECORDS, Moving, Shape, item_type, type_name, unwrapped
from loom.application.streaming.step import plan_step, read_signature, step_name
from loom.domain.frozen import frozen

In = TypeVar("In")
Out = TypeVar("Out")


class ExpandStep(Step, Generic[In, Out], abc.ABC):
    """A function from one record to many, sync or async; an empty result drops the record.

    ``process`` takes what a ``RecordStep`` takes and returns a list (or tuple, sequence, iterable) of payloads or of
    envelopes. Payloads keep key and headers of the record that they came from.
    """

    @abc.abstractmethod
    def process(self, payload: In, /) -> Iterable[Out] | Awaitable[Iterable[Out]]:
        """Make the next payloads of this one."""


@frozen(kw_only=True)
class ExpandPlan(TransformPlan):
    """One step, one record in, many out."""


def _plan(step: type[ExpandStep[Any, Any]], spot: Spot) -> Planned:
    signature = read_signature(step, spot)
    if signature is None:
        return Planned(None, Moving(Shape.RECORD, Any))
    gives = item_type(signature.gives)
    if gives is None:
        spot.issue(
            "LOOM-STREAM-012",
            f"{spot.title}.process returns {type_name(signature.gives)}, but an ExpandStep returns many",
            "annotate it to return list[...], or make it a RecordStep",
        )
        gives = Any
    plan = plan_step(step, signature, spot, takes=signature.takes, gives=gives)
    stage = ExpandPlan(id=spot.id, title=spot.title, steps=(plan,))
    return Planned(stage, Moving(Shape.RECORD, unwrapped(gives)[0]))


class Expand:
    """Runs an expansion, record by record."""

    def __init__(self, plan: ExpandPlan, opening: Opening) -> None:
        self._step = StepCall(plan.steps[0], opening)
        self._gives_whole = plan.steps[0].gives_whole

    def start(self, moved: list[Item], out: list[Item]) -> Rest | None:
        return self._run(moved, out)

    async def _run(self, moved: list[Item], out: list[Item]) -> None:
        for item in moved:
            results = await self._step.call([item], self._step.argument(item.envelope), self._step.check.many)
            if results is GONE:
                continue
            for result in results:
                envelope = result if self._gives_whole else with_payload(item.envelope, result)
                out.append(Item(envelope, item.lineage))
            item.lineage.split(len(results))


NODES.register(ExpandStep, NodeKind(takes=RECORDS, title=step_name, plan=_plan))
TRANSFORMS.register(ExpandPlan, Expand)
