"""Kafka for many short tests: one producer for all of them, since each new one takes half a second to be ready."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

import pytest

from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.domain.errors import LoomError
from loom.ports.transport import TopicConsumer, TopicProducer, TopicRecord, Topics

# An idle fetch is answered after this long, and everything else waits behind it.
QUICK = {"fetch.wait.max.ms": "20", "reconnect.backoff.ms": "10"}


class SharedKafka:
    """Topics on one cluster whose clients outlive the tests."""

    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        self.shared = topics.producer()

    async def ensure(self, topics: Mapping[str, int]) -> None:
        await self.topics.ensure(topics)

    def producer(self) -> TopicProducer:
        return _Lent(self.shared)

    def consumer(self, topics: Sequence[str], *, group: str) -> TopicConsumer:
        return self.topics.consumer(topics, group=group)

    async def counts(self, topics: Sequence[str]) -> Mapping[str, int]:
        return await self.topics.counts(topics)

    async def close(self) -> None:
        """The next test goes on with it."""


class _Lent:
    def __init__(self, producer: TopicProducer) -> None:
        self._producer = producer

    async def send(self, records: Sequence[TopicRecord]) -> None:
        await self._producer.send(records)

    async def deliver(self, records: Sequence[TopicRecord]) -> Mapping[int, LoomError]:
        return await self._producer.deliver(records)

    async def close(self) -> None:
        """It belongs to all."""


@pytest.fixture(scope="session")
def shared_kafka(apache_kafka_brokers: str) -> Iterator[SharedKafka]:
    topics = KafkaTopics(KafkaSettings(brokers=apache_kafka_brokers, options=QUICK))
    yield SharedKafka(topics)
    asyncio.run(topics.close())
