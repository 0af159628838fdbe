"""``RecordStep``: one record in, one record out. Neighbours fuse into one operator."""

from __future__ import annotations

import abc
from collections.abc import Awaitable
from functools import partial
from typing import Any, Generic, TypeVar

import attrs

from loom.application.streaming.flow import Step
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import StagePlan, StepPlan, TransformPlan
from loom.application.streaming.running.guard import GONE, STEP_ERRORS, Guarded
from loom.application.streaming.running.items import Item, with_payload
from loom.application.streaming.running.operators import TRANSFORMS, Opening, Rest
from loom.application.streaming.running.results import ResultCheck
from loom.application.streaming.shapes import NOTHING, RECORDS, Moving, Shape, unwrapped
from loom.application.streaming.step import plan_step, read_signature, step_name
from loom.domain.context import Context, current_context
from loom.domain.frozen import frozen
from loom.domain.message import Envelope

In = TypeVar("In")
Out = TypeVar("Out")


class RecordStep(Step, Generic[In, Out], abc.ABC):
    """A function of one record, sync or async.

    ``process`` gets the payload, or the whole ``Envelope`` where its argument is annotated so, and returns the next
    payload, or an ``Envelope`` where it sets key or headers itself. One that is annotated to return ``None`` ends the
    path. Constructor arguments come from the container.
    """

    @abc.abstractmethod
    def process(self, payload: In, /) -> Out | Awaitable[Out]:
        """Make the next payload of this one."""


@frozen(kw_only=True)
class ChainPlan(TransformPlan):
    """Record steps that run one after the other as one operator."""

    def fused(self, following: StagePlan) -> StagePlan | None:
        if not isinstance(following, ChainPlan):
            return None
        title = f"{self.title} > {following.title}"
        return attrs.evolve(self, title=title, steps=(*self.steps, *following.steps))


def _plan(step: type[RecordStep[Any, Any]], spot: Spot) -> Planned:
    signature = read_signature(step, spot)
    if signature is None:
        return Planned(None, Moving(Shape.RECORD, Any))
    plan = plan_step(step, signature, spot, takes=signature.takes, gives=signature.gives)
    leaves = NOTHING if plan.ends else Moving(Shape.RECORD, unwrapped(signature.gives)[0])
    return Planned(ChainPlan(id=spot.id, title=spot.title, steps=(plan,)), leaves)


@attrs.frozen(eq=False)
class _Link:
    """One step of a chain, ready to be called."""

    process: Any
    whole: bool
    gives_whole: bool
    guarded: Guarded
    check: ResultCheck
    wanted: type | None

    @classmethod
    def of(cls, plan: StepPlan, opening: Opening) -> _Link:
        guarded = Guarded(name=plan.name, failure=plan.failure)
        check = ResultCheck(plan)
        return cls(opening.process_of(plan), plan.whole, plan.gives_whole, guarded, check, check.wanted)

    def call(self, envelope: Envelope[Any], payload: Any) -> Any:
        return self.process(with_payload(envelope, payload) if self.whole else payload)


@attrs.frozen(eq=False)
class _Stop:
    """How far one item came before something had to wait: the next link, and what has been made so far."""

    at: int
    link: int
    envelope: Envelope[Any]
    payload: Any
    error: BaseException | None


class Chain:
    """Runs a chain. Sync steps run at once; the first async step and the first failure turn to the event loop."""

    def __init__(self, plan: ChainPlan, opening: Opening) -> None:
        self._guard = opening.guard
        self._links = tuple(_Link.of(step, opening) for step in plan.steps)
        waits = [step.waits for step in plan.steps]
        self._ready = self._links[: waits.index(True)] if True in waits else self._links
        self._complete = len(self._ready) == len(self._links)
        self._ends = plan.steps[-1].ends
        # Only a step with something injected can reach the application, which reads the context.
        self._sets_context = any(step.dependencies for step in plan.steps)

    def start(self, moved: list[Item], out: list[Item]) -> Rest | None:
        stop = self._run(0, moved, out)
        return None if stop is None else self._rest(stop, moved, out)

    def _run(self, position: int, moved: list[Item], out: list[Item]) -> _Stop | None:
        for at in range(position, len(moved)):
            item = moved[at]
            envelope = item.envelope
            payload = envelope.payload
            reached = 0
            self._enter(item)
            try:
                for link in self._ready:
                    result = link.process(with_payload(envelope, payload) if link.whole else payload)
                    if link.gives_whole:
                        envelope, payload = link.check.whole(result), result.payload
                    else:
                        payload = result if type(result) is link.wanted else link.check.payload(result)
                    reached += 1
            except STEP_ERRORS as error:
                return _Stop(at, reached, envelope, payload, error)
            if not self._complete:
                return _Stop(at, reached, envelope, payload, None)
            self._finish(item, envelope, payload, out)
        return None

    async def _rest(self, stop: _Stop | None, moved: list[Item], out: list[Item]) -> None:
        while stop is not None:
            await self._go_on(moved[stop.at], stop, out)
            stop = self._run(stop.at + 1, moved, out)

    async def _go_on(self, item: Item, stop: _Stop, out: list[Item]) -> None:
        envelope, payload, error = stop.envelope, stop.payload, stop.error
        self._enter(item)
        for link in self._links[stop.link :]:
            attempt = partial(link.call, envelope, payload)
            result = await self._guard.call(link.guarded, (item,), attempt, error, link.check.result)
            if result is GONE:
                return
            envelope, payload = (result, result.payload) if link.gives_whole else (envelope, result)
            error = None
        self._finish(item, envelope, payload, out)

    def _enter(self, item: Item) -> None:
        if self._sets_context:
            current_context.set(Context.from_headers(item.envelope.headers))

    def _finish(self, item: Item, envelope: Envelope[Any], payload: Any, out: list[Item]) -> None:
        if self._ends:
            item.lineage.release()
        else:
            out.append(Item(with_payload(envelope, payload), item.lineage))


NODES.register(RecordStep, NodeKind(takes=RECORDS, title=step_name, plan=_plan))
TRANSFORMS.register(ChainPlan, Chain)
