"""Lowering of a plan to a Bytewax dataflow: one operator for each stage, so one for each fused chain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import attrs
from bytewax import operators
from bytewax.dataflow import Dataflow, Stream
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from loom.adapters.bytewax.bridge import Bridge
from loom.adapters.bytewax.collect import CollectLogic
from loom.adapters.bytewax.source import SessionSource
from loom.application.compile import Kinds
from loom.application.streaming.plan import BranchPlan, CollectPlan, Path, SinkPlan, TransformPlan
from loom.application.streaming.running.operators import Branch, Sink, Transform
from loom.application.streaming.running.session import FlowSession

Items: TypeAlias = Stream[Any]
Work: TypeAlias = Callable[[list[Any]], Any]

# Bytewax keeps state by key. A batch takes whatever comes, so there is one key.
_ONE_KEY = "all"


def dataflow(session: FlowSession, bridge: Bridge, source: SessionSource) -> Dataflow:
    """The dataflow of a flow."""
    flow = Dataflow("loom")
    _Lowered(session, bridge).path(session.flow.plan.path, operators.input("source", flow, source))
    return flow


@attrs.frozen(eq=False)
class _Lowered:
    session: FlowSession
    bridge: Bridge

    def path(self, path: Path, stream: Items) -> None:
        for index, stage in enumerate(path):
            lowering = _LOWERINGS.of(stage)
            if lowering is None:
                raise TypeError(f"the Bytewax engine cannot run {type(stage).__name__}")
            following = lowering(stage, stream, self, index == len(path) - 1)
            if following is None:
                return
            stream = following

    def transformed(self, transform: Transform, items: list[Any]) -> list[Any]:
        out: list[Any] = []
        try:
            rest = transform.start(items, out)
            if rest is not None:
                self.bridge.run(rest)
        except Exception as failure:  # noqa: BLE001 - it stops the flow when what stands before it is done
            self.session.hold(failure)
        return out

    def written(self, sink: Sink, items: list[Any]) -> None:
        try:
            self.bridge.run(sink.write(items))
        except Exception as failure:  # noqa: BLE001 - as in a transform
            self.session.hold(failure)

    def spread(self, branch: Branch, paths: int, items: list[Any]) -> list[tuple[int, list[Any]]]:
        outs: list[list[Any]] = [[] for _ in range(paths)]
        try:
            rest = branch.start(items, outs)
            if rest is not None:
                self.bridge.run(rest)
        except Exception as failure:  # noqa: BLE001 - as in a transform
            self.session.hold(failure)
        return [(index, out) for index, out in enumerate(outs) if out]


Lowering: TypeAlias = Callable[[Any, Items, _Lowered, bool], "Items | None"]


def _transform(plan: TransformPlan, stream: Items, lowered: _Lowered, last: bool) -> Items | None:
    work = partial(lowered.transformed, lowered.session.transform(plan))
    if last:  # A path has to end in an output, and a step that gives nothing is one.
        operators.output(plan.id, stream, _WorkSink(work))
        return None
    return operators.flat_map_batch(plan.id, stream, work)


def _collect(plan: CollectPlan, stream: Items, lowered: _Lowered, last: bool) -> Items | None:
    keyed = operators.flat_map_batch(f"{plan.id}_key", stream, lambda items: [(_ONE_KEY, item) for item in items])
    batches = operators.stateful_batch(plan.id, keyed, lambda resumed: CollectLogic(plan))
    return operators.flat_map_batch(f"{plan.id}_batch", batches, lambda pairs: [batch for _, batch in pairs])


def _branch(plan: BranchPlan, stream: Items, lowered: _Lowered, last: bool) -> Items | None:
    spread = partial(lowered.spread, lowered.session.branch(plan), len(plan.paths))
    parts = operators.flat_map_batch(plan.id, stream, spread)
    for index, path in enumerate(plan.paths):
        taken = operators.flat_map_batch(f"{plan.id}_path{index}", parts, partial(_taken, index))
        lowered.path(path, taken)
    return None


def _taken(index: int, parts: list[tuple[int, list[Any]]]) -> list[Any]:
    return [item for path, items in parts if path == index for item in items]


def _sink(plan: SinkPlan, stream: Items, lowered: _Lowered, last: bool) -> Items | None:
    operators.output(plan.id, stream, _WorkSink(partial(lowered.written, lowered.session.sink(plan))))
    return None


class _WorkSink(DynamicSink[Any]):
    """Gives everything to a function."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def build(self, step_id: str, worker_index: int, worker_count: int) -> StatelessSinkPartition[Any]:
        return _WorkPartition(self._work)


class _WorkPartition(StatelessSinkPartition[Any]):
    def __init__(self, work: Work) -> None:
        self._work = work

    def write_batch(self, items: list[Any]) -> None:
        self._work(items)


_LOWERINGS: Kinds[Lowering] = Kinds("stage")
_LOWERINGS.register(TransformPlan, _transform)
_LOWERINGS.register(CollectPlan, _collect)
_LOWERINGS.register(BranchPlan, _branch)
_LOWERINGS.register(SinkPlan, _sink)
