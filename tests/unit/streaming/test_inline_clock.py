"""The inline engine with a clock that the test sets: what time decides, the test decides."""

import asyncio
import threading
import uuid

import attrs
import pytest

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.application.compile import Issues
from loom.application.streaming.bind import BoundFlow, StreamPorts, bind_flow
from loom.application.streaming.compiler import compile_flow
from loom.domain.errors import StepFailed
from loom.ports.transport import ReceivedRecord, TopicRecord
from loom.streaming import (
    CollectBatch,
    Drain,
    Fork,
    FromTopic,
    IntoTopic,
    Process,
    RecordStep,
    Route,
    Router,
    StreamFlow,
    payload,
    retry,
)
from loom.testing.clock import START, FakeClock
from loom.testing.contracts.streaming_bench import Given
from loom.testing.contracts.streaming_flows import Order, Sum, Total


@attrs.define(eq=False)
class Table:
    """A flow, its memory topics and its clock."""

    flow: StreamFlow
    clock: FakeClock = attrs.field(factory=FakeClock)
    codec: JsonCodec = attrs.field(factory=JsonCodec)
    topics: MemoryTopics = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.topics = MemoryTopics(MemoryTopicsSettings(partitions=1), clock=self.clock)

    def bound(self) -> BoundFlow:
        plan = compile_flow(self.flow, Issues(), Given({}))
        assert plan is not None
        return bind_flow(plan, StreamPorts(topics=self.topics, codec=self.codec, clock=self.clock), Given({}))

    async def send(self, *ids: int) -> None:
        values = [self.codec.encode(Order(id=n, amount=n)) for n in ids]
        await self.topics.producer().send([TopicRecord(topic="in", value=value) for value in values])

    async def wait_for(self, topic: str, count: int) -> list[ReceivedRecord]:
        """Everything in a topic, as soon as it holds so many records."""
        consumer = self.topics.consumer([topic], group=f"reader-{uuid.uuid4()}")
        found: list[ReceivedRecord] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                found += await consumer.poll(limit=100, timeout=1)
        return found

    async def whole_turn(self) -> None:
        """Wait until the engine has taken everything that was sent, and has then done all that time demands."""
        for _ in range(2):  # The second probe is taken in a later turn than the first, whose turn is then complete.
            await self.send(PROBE)
            await self.wait_for("seen", (await self.topics.counts(["in"]))["in"])

    async def totals(self) -> list[list[int]]:
        found = await self.wait_for("out", (await self.topics.counts(["out"]))["out"])
        return [self.codec.decode(one.record.value, Total).ids for one in found]


ENGINE = InlineStreamEngine(InlineStreamingSettings(poll_seconds=0.001))
PROBE = 100
"""Orders with this id are seen, but go into no batch."""
BATCHES = StreamFlow(
    "f",
    FromTopic("in", payload=Order),
    Process(
        Fork(IntoTopic("seen", payload=Order)),
        Router(
            Route(when=payload.id == PROBE, process=Drain()),
            default=Process(CollectBatch(3, timeout_ms=5000), Sum, IntoTopic("out", payload=Total)),
        ),
    ),
)


async def test_a_batch_is_given_when_its_time_is_over_and_not_before() -> None:
    """The time counts from the first record of the batch."""
    table, stop = Table(BATCHES), threading.Event()
    running = asyncio.ensure_future(ENGINE.run(table.bound(), stop=stop))
    await table.send(1)
    await table.whole_turn()
    table.clock.advance(4.9)
    await table.send(2)
    await table.whole_turn()
    assert await table.totals() == []
    table.clock.advance(0.1)
    await table.wait_for("out", 1)
    await table.send(3, 4, 5)
    await table.wait_for("out", 2)
    assert await table.totals() == [[1, 2], [3, 4, 5]]
    stop.set()
    await running
    assert await table.totals() == [[1, 2], [3, 4, 5]]


async def test_a_retry_waits_by_the_clock_of_the_flow() -> None:
    """Hours pass in no time, and the waits are those that were declared."""

    class Stubborn(RecordStep[Order, Order]):
        on_error = retry(3, backoff=1000, longest=3000)

        def process(self, order: Order) -> Order:
            raise ValueError("never")

    table = Table(StreamFlow("f", FromTopic("in", payload=Order), Process(Stubborn, Drain())))
    await table.send(1)
    with pytest.raises(StepFailed, match="after 4 attempts: ValueError: never"):
        await ENGINE.run(table.bound(), stop=threading.Event(), until_idle=True)
    assert (table.clock.now() - START).total_seconds() == 1000 + 2000 + 3000
