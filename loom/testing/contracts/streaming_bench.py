"""The bench on which the contract of stream engines is tried: topics, a ledger, and faults on demand."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs

from loom.adapters.json.codec import JsonCodec
from loom.adapters.system.clock import SystemClock
from loom.application.compile import Issues
from loom.application.streaming.bind import BoundFlow, StreamPorts, bind_flow
from loom.application.streaming.compiler import compile_flow
from loom.application.streaming.flow import StreamFlow
from loom.domain.errors import LoomError, RecordRefused, Unavailable
from loom.domain.frozen import frozen
from loom.domain.message import ErrorEnvelope
from loom.ports.persistence import Persistence
from loom.ports.streaming import FlowReport, StreamEngine
from loom.ports.transport import ReceivedRecord, TopicConsumer, TopicProducer, TopicRecord, Topics
from loom.testing.contracts.streaming_flows import Ledger, Order

T = TypeVar("T")
K = TypeVar("K")


@frozen
class Given:
    """A resolver that knows what it is given."""

    objects: Mapping[type, Any]

    def knows(self, wanted: type) -> bool:
        return wanted in self.objects

    def resolve(self, wanted: type[T]) -> T:
        found: T = self.objects[wanted]
        return found


@attrs.define(eq=False)
class FaultyTopics:
    """Topics whose producers meet faults on demand.

    Attributes:
        refused: how often the record of a key is still to be refused, by topic and key.
        away: how often a topic is still to be unavailable, by topic.
    """

    topics: Topics
    refused: dict[tuple[str, str | None], int] = attrs.field(factory=dict)
    away: dict[str, int] = attrs.field(factory=dict)

    async def ensure(self, topics: Mapping[str, int]) -> None:
        await self.topics.ensure(topics)

    def producer(self) -> TopicProducer:
        return _FaultyProducer(self.topics.producer(), self)

    def consumer(self, topics: Sequence[str], *, group: str) -> TopicConsumer:
        return self.topics.consumer(topics, group=group)

    async def counts(self, topics: Sequence[str]) -> Mapping[str, int]:
        return await self.topics.counts(topics)

    async def close(self) -> None:
        await self.topics.close()


@attrs.frozen(eq=False)
class _FaultyProducer:
    producer: TopicProducer
    faults: FaultyTopics

    async def send(self, records: Sequence[TopicRecord]) -> None:
        failed = await self.deliver(records)
        if failed:
            raise failed[min(failed)]

    async def deliver(self, records: Sequence[TopicRecord]) -> Mapping[int, LoomError]:
        for topic in {record.topic for record in records}:
            if _due(self.faults.away, topic):
                raise Unavailable(f"topic {topic.rpartition('.')[2]} is away")
        failed: dict[int, LoomError] = {}
        for index, record in enumerate(records):
            if _due(self.faults.refused, (record.topic, record.key)):
                failed[index] = RecordRefused(f"topic {record.topic.rpartition('.')[2]} refuses {record.key}")
        good = [index for index in range(len(records)) if index not in failed]
        found = await self.producer.deliver([records[index] for index in good])
        return failed | {good[index]: error for index, error in found.items()}

    async def close(self) -> None:
        await self.producer.close()


def _due(faults: dict[K, int], what: K) -> bool:
    if faults.get(what, 0) <= 0:
        return False
    faults[what] -= 1
    return True


@attrs.define(eq=False)
class Bench:
    """One engine, one broker, and names that no other test uses."""

    engine: StreamEngine[BoundFlow]
    topics: FaultyTopics
    persistence: Persistence | None = None
    patience: float = 30.0
    ledger: Ledger = attrs.field(factory=Ledger)
    prefix: str = attrs.field(factory=lambda: uuid.uuid4().hex[:12])
    codec: JsonCodec = attrs.field(factory=JsonCodec)
    give_up_after: float = 600.0

    def name(self, word: str) -> str:
        """The name of a topic or flow of this test alone."""
        return f"{self.prefix}.{word}"

    async def ensure(self, *words: str) -> None:
        """Make topics of one partition."""
        await self.topics.ensure({self.name(word): 1 for word in words})

    async def send(self, word: str, values: Sequence[object], *, headers: Mapping[str, str] | None = None) -> None:
        """Send orders with their id as key, and bytes as they are with the key ``raw``."""
        records = [
            TopicRecord(
                topic=self.name(word),
                value=value if isinstance(value, bytes) else self.codec.encode(value),
                key=str(value.id) if isinstance(value, Order) else "raw",
                headers=headers or {},
            )
            for value in values
        ]
        producer = self.topics.topics.producer()
        await producer.send(records)
        await producer.close()

    def bind(self, flow: StreamFlow) -> BoundFlow:
        """Compile and bind a flow."""
        resolver = Given({Ledger: self.ledger})
        issues = Issues()
        plan = compile_flow(flow, issues, resolver)
        issues.raise_if_any()
        assert plan is not None
        ports = StreamPorts(topics=self.topics, codec=self.codec, clock=SystemClock(), persistence=self.persistence)
        return bind_flow(plan, ports, resolver, give_up_after=self.give_up_after)

    async def run(self, flow: StreamFlow) -> FlowReport:
        """Run a flow until nothing is left to read."""
        async with asyncio.timeout(self.patience):
            return await self.engine.run(self.bind(flow), stop=threading.Event(), until_idle=True)

    def start(self, flow: StreamFlow) -> Running:
        """Run a flow until it is stopped."""
        stop = threading.Event()
        return Running(asyncio.ensure_future(self.engine.run(self.bind(flow), stop=stop)), stop)

    async def received(self, word: str) -> list[ReceivedRecord]:
        """Everything in a topic, in order."""
        topic = self.name(word)
        return await self.wait_for(word, (await self.topics.counts([topic]))[topic])

    async def read(self, word: str, payload: type[T]) -> list[T]:
        """Everything in a topic, decoded."""
        return [self.codec.decode(one.record.value, payload) for one in await self.received(word)]

    async def ids(self, word: str) -> list[int]:
        """The ids of all orders in a topic."""
        return [order.id for order in await self.read(word, Order)]

    async def letters(self, word: str = "dlq") -> list[ErrorEnvelope]:
        """All dead letters in a topic."""
        return await self.read(word, ErrorEnvelope)

    async def wait_for(self, word: str, count: int) -> list[ReceivedRecord]:
        """Everything in a topic, as soon as it holds so many records."""
        consumer = self.topics.consumer([self.name(word)], group=uuid.uuid4().hex)
        found: list[ReceivedRecord] = []
        async with asyncio.timeout(self.patience):
            while len(found) < count:
                found += await consumer.poll(limit=1000, timeout=0.2)
        await consumer.close()
        return found


@attrs.frozen(eq=False)
class Running:
    """A flow that runs in the background."""

    task: asyncio.Future[FlowReport]
    stop: threading.Event

    async def end(self) -> FlowReport:
        """Ask it to stop, and wait until it has drained."""
        self.stop.set()
        return await self.task

    async def crash(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.task.cancel()
        await asyncio.wait([self.task])
