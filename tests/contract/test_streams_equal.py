"""Whatever small flow and input: both engines write the same records, in the same order, to every topic."""

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.adapters.system.clock import SystemClock
from loom.application.streaming.bind import BoundFlow
from loom.application.streaming.flow import AnyNode
from loom.ports.streaming import FlowReport, StreamEngine
from loom.streaming import (
    BatchStep,
    Broadcast,
    CollectBatch,
    Drain,
    ErrorEnvelope,
    ExpandStep,
    ForEach,
    Fork,
    FromTopic,
    IntoTopic,
    Process,
    RecordStep,
    Route,
    Router,
    StreamFlow,
    dead_letter,
    msg,
    payload,
    retry,
    skip,
)
from loom.testing.contracts.streaming_bench import Bench, FaultyTopics
from loom.testing.contracts.streaming_failures import POISON
from loom.testing.contracts.streaming_flows import Order

pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")


class AddOne(RecordStep[Order, Order]):
    def process(self, payload: Order) -> Order:
        return attrs.evolve(payload, amount=payload.amount + 1)


class AddLater(RecordStep[Order, Order]):
    async def process(self, payload: Order) -> Order:
        await asyncio.sleep(0)
        return attrs.evolve(payload, amount=payload.amount + 10)


class NoSevens(RecordStep[Order, Order]):
    def process(self, payload: Order) -> Order:
        if payload.amount % 7 == 0:
            raise ValueError(f"{payload.amount} is a multiple of seven")
        return payload


class Threefold(ExpandStep[Order, Order]):
    def process(self, payload: Order) -> list[Order]:
        return [attrs.evolve(payload, note=str(n)) for n in range(payload.amount % 4)]


class Reverse(BatchStep[Order, Order]):
    def process(self, batch: Sequence[Order]) -> list[Order]:
        return list(reversed(batch))


class Biggest(BatchStep[Order, Order]):
    def process(self, batch: Sequence[Order]) -> Order:
        if len(batch) == 2:
            raise ValueError("two are no choice")
        return max(batch, key=lambda order: (order.amount, order.id))


class Odd(BatchStep[Order, Order]):
    async def process(self, batch: Sequence[Order]) -> list[Order]:
        return [order for order in batch if order.amount % 2]


@attrs.define
class Drawn:
    """Draws a flow. Steps and sinks get numbers, so that each has a name of its own."""

    draw: Any
    prefix: str
    count: int = 0

    def path(self, depth: int) -> list[AnyNode]:
        nodes: list[AnyNode] = []
        for _ in range(self.draw(st.integers(0, 3))):
            nodes += self.draw(st.sampled_from([self.record, self.expand, self.batch, self.fork]))()
        return [*nodes, *self.end(depth)]

    def record(self) -> list[AnyNode]:
        return [self.step(AddOne, AddLater, NoSevens)]

    def expand(self) -> list[AnyNode]:
        return [self.step(Threefold)]

    def batch(self) -> list[AnyNode]:
        collect = CollectBatch(self.draw(st.integers(1, 5)), timeout_ms=3_600_000)
        steps: list[AnyNode] = [self.step(Reverse, Odd) for _ in range(self.draw(st.integers(0, 2)))]
        return [collect, *steps, self.draw(st.sampled_from([ForEach(), self.step(Biggest)]))]

    def fork(self) -> list[AnyNode]:
        return [Fork(Process(*self.record(), self.sink()))]

    def end(self, depth: int) -> list[AnyNode]:
        kind = self.draw(st.sampled_from(["sink", "route", "broadcast"] if depth else ["sink"]))
        if kind == "sink":
            return [self.sink()]
        paths = [Process(*self.path(depth - 1)) for _ in range(2)]
        if kind == "broadcast":
            return [Broadcast(*paths)]
        conditions = [payload.amount > 5, msg.key == "3", payload.note.is_null(), payload.amount * 2 == payload.id]
        routes = [Route(when=self.draw(st.sampled_from(conditions)), process=path) for path in paths]
        return [Router(*routes, default=self.draw(st.sampled_from([Drain(), self.sink()])))]

    def step(self, *classes: type) -> Any:
        chosen = self.draw(st.sampled_from(classes))
        policies = [None, skip(), dead_letter(), retry(2, backoff=0, then=skip())]
        self.count += 1
        policy = self.draw(st.sampled_from(policies))
        return type(f"{chosen.__name__}{self.count}", (chosen,), {"on_error": policy})

    def sink(self) -> AnyNode:
        self.count += 1
        return IntoTopic(f"{self.prefix}.out{self.count}", payload=Order)

    def flow(self) -> StreamFlow:
        errors = IntoTopic(f"{self.prefix}.dlq", payload=ErrorEnvelope)
        return StreamFlow("flow", FromTopic(f"{self.prefix}.in", payload=Order), Process(*self.path(2)), errors=errors)


orders = st.builds(Order, id=st.integers(0, 9), amount=st.integers(0, 30))
inputs = st.lists(orders | st.just(POISON), max_size=25)


@settings(max_examples=60, deadline=None)
@given(st.data(), inputs)
def test_both_engines_write_the_same(data: st.DataObject, values: list[Order | bytes]) -> None:
    from loom.adapters.bytewax.engine import BytewaxStreamEngine
    from loom.adapters.bytewax.settings import BytewaxSettings

    drawn = Drawn(data.draw, "t")
    flow = drawn.flow()
    topics = ["dlq", *(f"out{n}" for n in range(1, drawn.count + 1))]
    chunk = data.draw(st.sampled_from([1, 3, 500]))
    inline = InlineStreamEngine(InlineStreamingSettings(poll_records=500))
    bytewax = BytewaxStreamEngine(BytewaxSettings(poll_records=chunk))
    expected, found = (asyncio.run(outcome(engine, flow, values, topics)) for engine in (inline, bytewax))
    assert found == expected


async def outcome(
    engine: StreamEngine[BoundFlow], flow: StreamFlow, values: list[Order | bytes], topics: list[str]
) -> tuple[FlowReport, dict[str, list[tuple[Any, ...]]]]:
    memory = MemoryTopics(MemoryTopicsSettings(partitions=1), clock=SystemClock())
    bench = Bench(engine, FaultyTopics(memory), prefix="t")
    await bench.send("in", values)
    report = await bench.run(flow)
    written: dict[str, list[tuple[Any, ...]]] = {}
    for topic in topics[1:]:
        received = await bench.received(topic)
        written[topic] = [(one.record.key, dict(one.record.headers), one.record.value) for one in received]
    letters = await bench.letters()
    # Letters of different steps come in the order in which the engine visits them, which is its own affair.
    written["dlq"] = sorted((one.step, one.offset, one.code, one.message, one.attempts) for one in letters)
    return report, written
