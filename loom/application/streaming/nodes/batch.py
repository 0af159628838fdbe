"""``BatchStep``: a function of many records at once."""

from __future__ import annotations

import abc
import inspect
import typing
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from loom.application.streaming.failure import Failed
from loom.application.streaming.flow import Step
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import TransformPlan
from loom.application.streaming.running.derived import by_position, derived
from loom.application.streaming.running.fault import Fault, fault_of
from loom.application.streaming.running.guard import GONE, STEP_ERRORS, as_failure
from loom.application.streaming.running.items import Batch, Item, Moved, merged
from loom.application.streaming.running.operators import TRANSFORMS, Opening, Rest
from loom.application.streaming.running.steps import StepCall
from loom.application.streaming.shapes import (
    BATCHES,
    NOTHING,
    Moving,
    Shape,
    item_type,
    type_name,
    unwrapped,
    without,
)
from loom.application.streaming.step import Signature, plan_step, read_signature, step_name
from loom.domain.errors import StepFailed
from loom.domain.frozen import frozen
from loom.domain.message import Envelope

In = TypeVar("In")
Out = TypeVar("Out")


class BatchStep(Step, Generic[In, Out], abc.ABC):
    """A function of a batch, sync or async.

    ``process`` gets a list of payloads, or of envelopes where its argument is annotated ``Sequence[Envelope[...]]``.
    What it is annotated to return decides what follows: ``list[X]`` is a batch again, ``X`` is one record made of the
    whole batch, ``None`` ends the path. Of a returned list, an object that was in the batch keeps the key and headers
    of its record; any other payload is a new record without key and headers. Return envelopes to set them.

    A step that is annotated to return ``list[X | Failed]`` answers position by position: as many results as the batch
    has records, with ``Failed(error)`` where one could not be handled. That record alone takes the failure policy.

    Where ``process`` raises, it is called again with the halves of the batch, down to the record that is at fault, so
    it must be safe to call again with the same records. Of a step that makes one record of a batch, each part that
    succeeds then gives one.
    """

    @abc.abstractmethod
    def process(
        self, batch: Sequence[In], /
    ) -> Sequence[Out | Failed] | Out | Awaitable[Sequence[Out | Failed] | Out | None] | None:
        """Handle the batch."""


@frozen(kw_only=True)
class BatchPlan(TransformPlan):
    """One step, one batch in; a batch, a record or nothing out. ``positional``: it says which records failed."""

    gives: Shape
    positional: bool


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
    leaves, item, positional = _leaves(signature)
    plan = plan_step(step, signature, spot, takes=takes, gives=item)
    stage = BatchPlan(id=spot.id, title=spot.title, steps=(plan,), gives=leaves.shape, positional=positional)
    return Planned(stage, leaves)


def _leaves(signature: Signature) -> tuple[Moving, Any, bool]:
    """What leaves the step, the type of one of it, and whether the step answers position by position."""
    if signature.gives in (None, type(None)):
        return NOTHING, None, False
    item = item_type(signature.gives)
    if item is None:
        return Moving(Shape.RECORD, unwrapped(signature.gives)[0]), signature.gives, False
    positional = Failed in typing.get_args(item) or item is Failed
    item = without(item, Failed)
    if item in (None, type(None)):
        return NOTHING, None, positional
    return Moving(Shape.BATCH, unwrapped(item)[0]), item, positional


class BatchCall:
    """Runs a batch step, batch by batch."""

    def __init__(self, plan: BatchPlan, opening: Opening) -> None:
        self._step = StepCall(plan.steps[0], opening)
        self._guard = opening.guard
        self._plan = plan
        self._whole = plan.steps[0].gives_whole
        self._lists = plan.positional or plan.gives is Shape.BATCH

    def start(self, moved: list[Batch], out: list[Moved]) -> Rest | None:
        return self._run(moved, out)

    async def _run(self, moved: list[Batch], out: list[Moved]) -> None:
        for batch in moved:
            made: list[Item] = []
            try:
                await self._call(batch.items, made)
            finally:
                # Also where the flow is to stop: what stands before the record that failed goes on.
                if self._plan.gives is Shape.BATCH:
                    out += [Batch(made)] if made else []
                else:
                    out += made

    async def _call(self, items: list[Item], made: list[Item]) -> None:
        """Call the step with several records; while it fails by fault of one of them, with their halves."""
        outage = self._guard.world.outage(f"{self._step.name} with {len(items)} records")
        while True:
            try:
                self._step.enter(items)
                result = self._step.process(self._step.arguments(items))
                result = self._read(len(items), await result if inspect.isawaitable(result) else result)
            except STEP_ERRORS as raised:
                error = as_failure(self._step.name, raised)
            else:
                outage.over()
                await self._keep(items, result, made)
                return
            if fault_of(error, by_user=True) is Fault.RECORD:
                outage.over()
                await self._apart(items, error, made)
                return
            await outage.wait(error, by_user=True)

    async def _apart(self, items: list[Item], error: Exception, made: list[Item]) -> None:
        if len(items) == 1:
            await self._alone(items[0], error, made)
            return
        half = len(items) // 2
        await self._call(items[:half], made)
        await self._call(items[half:], made)

    async def _alone(self, item: Item, error: BaseException, made: list[Item]) -> None:
        """One record under the policy of the step, after a first attempt that failed."""
        attempt = partial(self._step.process, self._step.arguments([item]))
        self._step.enter([item])
        result = await self._guard.call(self._step.guarded, [item], attempt, error, self._read_one)
        if result is not GONE:
            await self._keep([item], result, made)

    async def _keep(self, items: list[Item], answer: _Answer, made: list[Item]) -> None:
        if answer.positional:
            await self._keep_by_position(items, answer.results, made)
        elif self._lists:
            made += derived(items, answer.results, whole=self._whole)
        elif self._plan.gives is Shape.RECORD:
            (result,) = answer.results
            made.append(Item(result if self._whole else Envelope(payload=result), merged(items)))
        else:
            merged(items).release()

    async def _keep_by_position(self, items: list[Item], results: list[Any], made: list[Item]) -> None:
        for item, result in zip(items, results, strict=True):
            if type(result) is Failed:
                await self._alone(item, result.error, made)
            elif self._plan.gives is Shape.BATCH:
                made += by_position([item], [result], whole=self._whole)
            else:
                item.lineage.release()

    def _read(self, count: int, result: Any) -> _Answer:
        """The result, where it is what the step says."""
        check = self._step.check
        if not self._lists:
            return _Answer([check.result(result)], False)
        results = check.listed(result)
        faults = {index: error for index in check.odd(results) if (error := self._fault(results[index])) is not None}
        positional = self._plan.positional or any(type(results[index]) is Failed for index in faults)
        if len(results) == count:
            for index, failed in faults.items():
                results[index] = failed
            return _Answer(results, positional or bool(faults))
        if positional:
            raise StepFailed(
                f"{self._step.name} returned {len(results)} results for {count} records",
                remedy="a list that may hold Failed answers position by position: one result for each record",
            )
        for failed in faults.values():
            raise failed.error
        return _Answer(results, False)

    def _read_one(self, result: Any) -> _Answer:
        answer = self._read(1, result)
        for each in answer.results:
            if type(each) is Failed:
                raise each.error
        return answer

    def _fault(self, result: Any) -> Failed | None:
        if type(result) is Failed:
            return result
        try:
            self._step.check.result(result)
        except StepFailed as error:
            return Failed(error)
        return None


@frozen
class _Answer:
    """What a step returned, looked at. ``positional``: one result for each record, in order."""

    results: list[Any]
    positional: bool


NODES.register(BatchStep, NodeKind(takes=BATCHES, title=step_name, plan=_plan))
TRANSFORMS.register(BatchPlan, BatchCall)
