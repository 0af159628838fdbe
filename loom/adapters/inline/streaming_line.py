"""Lowering of a plan to nested coroutine functions: each stage pushes what it makes into the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import attrs

from loom.application.compile import Kinds
from loom.application.streaming.nodes.collect import Collector
from loom.application.streaming.plan import BranchPlan, CollectPlan, Path, SinkPlan, TransformPlan
from loom.application.streaming.running.items import Batch, Item
from loom.application.streaming.running.session import FlowSession
from loom.ports.clock import Clock

Push: TypeAlias = Callable[[list[Any]], Awaitable[None]]


@attrs.define(eq=False)
class _Waiting:
    """A collector and where its batches go."""

    collector: Collector
    following: Push

    async def give(self, batches: list[Batch]) -> None:
        if batches:
            await self.following(batches)


@attrs.define(eq=False)
class Line:
    """A flow, ready to be pushed into, and the batches that are still filling: each before those that it goes into."""

    clock: Clock
    push: Push
    waiting: list[_Waiting]

    def wait(self, longest: float) -> float:
        """Seconds until the next batch is due, at most ``longest``."""
        due = [one.collector.due for one in self.waiting if one.collector.due is not None]
        return longest if not due else min(longest, max(0.0, (min(due) - self.clock.now()).total_seconds()))

    async def close_due(self) -> None:
        """Close the batches whose time is over."""
        now = self.clock.now()
        for one in self.waiting:
            await one.give(one.collector.close_if_due(now))

    async def close_all(self) -> None:
        """Close every batch; what is in one may still fill another further down."""
        for one in self.waiting:
            await one.give(one.collector.close())


def lower(session: FlowSession) -> Line:
    """Open every operator of a flow and join them."""
    waiting: list[_Waiting] = []
    push = _path(session.flow.plan.path, session, waiting)
    # A path is joined from its end, so the last collector came first.
    return Line(session.flow.ports.clock, push, waiting[::-1])


Lowering: TypeAlias = Callable[[Any, Push, FlowSession, list[_Waiting]], Push]


async def _nothing_follows(items: list[Any]) -> None:
    """Behind the last stage of a path nothing arrives."""


def _path(path: Path, session: FlowSession, waiting: list[_Waiting]) -> Push:
    push: Push = _nothing_follows
    for stage in reversed(path):
        lowering = _LOWERINGS.of(stage)
        if lowering is None:
            raise TypeError(f"the inline engine cannot run {type(stage).__name__}")
        push = lowering(stage, push, session, waiting)
    return push


def _transform(plan: TransformPlan, following: Push, session: FlowSession, waiting: list[_Waiting]) -> Push:
    transform = session.transform(plan)

    async def push(items: list[Any]) -> None:
        out: list[Any] = []
        try:
            rest = transform.start(items, out)
            if rest is not None:
                await rest
        except Exception as failure:  # noqa: BLE001 - it stops the flow when what stands before it is done
            session.hold(failure)
        if out:
            await following(out)

    return push


def _collect(plan: CollectPlan, following: Push, session: FlowSession, waiting: list[_Waiting]) -> Push:
    clock = session.flow.ports.clock
    one = _Waiting(Collector(plan), following)
    waiting.append(one)

    async def push(items: list[Item]) -> None:
        await one.give(one.collector.add(items, clock.now()))

    return push


def _branch(plan: BranchPlan, following: Push, session: FlowSession, waiting: list[_Waiting]) -> Push:
    branch = session.branch(plan)
    paths = [_path(path, session, waiting) for path in plan.paths]

    async def push(items: list[Any]) -> None:
        outs: list[list[Any]] = [[] for _ in paths]
        try:
            rest = branch.start(items, outs)
            if rest is not None:
                await rest
        except Exception as failure:  # noqa: BLE001 - as in a transform
            session.hold(failure)
        for path, out in zip(paths, outs, strict=True):
            if out:
                await path(out)

    return push


def _sink(plan: SinkPlan, following: Push, session: FlowSession, waiting: list[_Waiting]) -> Push:
    sink = session.sink(plan)

    async def push(items: list[Any]) -> None:
        try:
            await sink.write(items)
        except Exception as failure:  # noqa: BLE001 - as in a transform
            session.hold(failure)

    return push


_LOWERINGS: Kinds[Lowering] = Kinds("stage")
_LOWERINGS.register(TransformPlan, _transform)
_LOWERINGS.register(CollectPlan, _collect)
_LOWERINGS.register(BranchPlan, _branch)
_LOWERINGS.register(SinkPlan, _sink)
