"""``BatchStep``: a function of many records at once."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Sequence
from typing import Any, Generic, TypeVar

from loom.application.streaming.flow import Step
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import TransformPlan
from loom.application.streaming.running.guard import GONE
from loom.application.streaming.running.items import Batch, Item, Moved, merged, with_payload
from loom.application.streaming.running.operators import TRANSFORMS, Opening, Rest
from loom.application.streaming.running.steps import StepCall
from loom.application.streaming.shapes import BATCHES, NOTHING, Moving, Shape, item_type, type_name, unwrapped
from loom.application.streaming.step import Signature, plan_step, read_signature, step_name
from loom.domain.frozen import frozen
from loom.domain.message import Envelope

In = TypeVar("In")
Out = TypeVar("Out")


class BatchStep(Step, Generic[In, Out], abc.ABC):
    """A function of a batch, sync or async.

    ``process`` gets a list of payloads, or of envelopes where its argument is annotated ``Sequence[Envelope[...]]``.
    What it is annotated to return decides what follows: ``list[X]`` is a batch again, ``X`` is one record made of the
    whole batch, ``None`` ends the path. A returned list that is as long as the batch keeps the key and headers of
    each record, position by position; in any other list, and in a single record, payloads are new records without
    key and headers. Return envelopes to set them.
    """

    @abc.abstractmethod
    def process(self, batch: Sequence[In], /) -> Sequence[Out] | Out | Awaitable[Sequence[Out] | Out | None] | None:
        """Handle the batch."""


@frozen(kw_only=True)
class BatchPlan(TransformPlan):
    """One step, one batch in; a batch, a record or nothing out."""

    gives: Shape


def _plan(step: type[BatchStep[Any, Any]], spot: Spot) -> Planned:
    signature = read_signature(step, spot)
    if signature is None:
        return Planned(None, Moving(Shape.BATCH, Any))
    takes = item_type(signature.takes)
    if takes is None:
        spot.issue(
            "LOOM-STREAM-012",
            f"{spot.title}.process takes {type_name(signature.takes)}, but a BatchStep takes many",
            "annotate its argument Sequence[...], or make it a RecordStep",
        )
        takes = Any
    leaves, item = _leaves(signature)
    plan = plan_step(step, signature, spot, takes=takes, gives=item)
    return Planned(BatchPlan(id=spot.id, title=spot.title, steps=(plan,), gives=leaves.shape), leaves)


def _leaves(signature: Signature) -> tuple[Moving, Any]:
    if signature.gives in (None, type(None)):
        return NOTHING, None
    item = item_type(signature.gives)
    if item is not None:
        return Moving(Shape.BATCH, unwrapped(item)[0]), item
    return Moving(Shape.RECORD, unwrapped(signature.gives)[0]), signature.gives


class BatchCall:
    """Runs a batch step, batch by batch."""

    def __init__(self, plan: BatchPlan, opening: Opening) -> None:
        self._step = StepCall(plan.steps[0], opening)
        self._whole = plan.steps[0].gives_whole
        self._gives = plan.gives
        self._read = list if plan.gives is Shape.BATCH else _as_it_is

    def start(self, moved: list[Batch], out: list[Moved]) -> Rest | None:
        return self._run(moved, out)

    async def _run(self, moved: list[Batch], out: list[Moved]) -> None:
        for batch in moved:
            argument = [self._step.argument(item.envelope) for item in batch.items]
            result = await self._step.call(batch.items, argument, self._read)
            if result is GONE:
                continue
            if self._gives is Shape.BATCH:
                made = self._batch(batch, result)
                out += [made] if made.items else []
            elif self._gives is Shape.RECORD:
                out.append(Item(result if self._whole else Envelope(payload=result), merged(batch.items)))
            else:
                merged(batch.items).release()

    def _batch(self, batch: Batch, results: list[Any]) -> Batch:
        if len(results) == len(batch.items):
            return Batch(
                [
                    Item(result if self._whole else with_payload(item.envelope, result), item.lineage)
                    for item, result in zip(batch.items, results, strict=True)
                ]
            )
        lineage = merged(batch.items)
        lineage.split(len(results))
        return Batch([Item(result if self._whole else Envelope(payload=result), lineage) for result in results])


def _as_it_is(result: Any) -> Any:
    return result


NODES.register(BatchStep, NodeKind(takes=BATCHES, title=step_name, plan=_plan))
TRANSFORMS.register(BatchPlan, BatchCall)
