"""A Kafka broker that is killed and comes back, while a flow sends and another one reads."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import attrs
import pytest

from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.domain.errors import Unavailable
from loom.testing.contracts.topics import new_topic, text
from tests.servers.kafka_broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
PATIENCE = 60.0


@attrs.define
class Traffic:
    """One sender and one reader in a thread and an event loop of their own, until they are told to stop."""

    settings: KafkaSettings
    topic: str
    acknowledged: list[str] = attrs.field(factory=list)
    read: list[str] = attrs.field(factory=list)
    outages: int = 0
    failures: list[BaseException] = attrs.field(factory=list)
    stop_sending: threading.Event = attrs.field(factory=threading.Event)
    stop_reading: threading.Event = attrs.field(factory=threading.Event)

    def run(self) -> None:
        try:
            asyncio.run(self._both())
        except BaseException as error:  # noqa: BLE001 - the test thread raises it
            self.failures.append(error)

    async def _both(self) -> None:
        topics = KafkaTopics(self.settings)
        await asyncio.gather(self._send(topics), self._read(topics))
        await topics.close()

    async def _send(self, topics: KafkaTopics) -> None:
        producer = topics.producer()
        number = 0
        while not self.stop_sending.is_set():
            batch = [f"{number + n}" for n in range(20)]
            number += 20
            try:
                await producer.send([text(self.topic, value, key="one") for value in batch])
            except Unavailable:
                continue
            self.acknowledged += batch

    async def _read(self, topics: KafkaTopics) -> None:
        consumer = topics.consumer([self.topic], group="reader")
        while not self.stop_reading.is_set():
            try:
                polled = await consumer.poll(limit=500, timeout=0.1)
                self.read += [item.record.value.decode() for item in polled]
                await consumer.commit([polled[-1].origin] if polled else [])
            except Unavailable:
                self.outages += 1


@pytest.fixture
def traffic(own_kafka: KafkaBroker) -> Iterator[Traffic]:
    settings = KafkaSettings(brokers=own_kafka.bootstrap, options={"reconnect.backoff.max.ms": "500"})
    running = Traffic(settings, asyncio.run(_made(settings)))
    thread = threading.Thread(target=running.run)
    thread.start()
    yield running
    running.stop_sending.set()
    running.stop_reading.set()
    thread.join(PATIENCE)


def test_a_broker_that_is_killed_loses_nothing_that_was_acknowledged(own_kafka: KafkaBroker, traffic: Traffic) -> None:
    """Sends that wait through the outage arrive once and in order; the reader goes on where its commits are."""
    until(traffic, lambda: len(traffic.acknowledged) >= 400 and len(traffic.read) >= 400)
    own_kafka.kill()
    at_kill = len(traffic.acknowledged)
    until(traffic, lambda: traffic.outages > 0)
    own_kafka.start()
    until(traffic, lambda: len(traffic.acknowledged) >= at_kill + 400)
    traffic.stop_sending.set()
    until(traffic, lambda: set(traffic.acknowledged) <= set(traffic.read))

    # What is read twice was read before the commit that the outage prevented; what is stored is stored once.
    stored = asyncio.run(_everything(traffic.settings, traffic.topic))
    assert stored == sorted(stored, key=int)
    assert len(stored) == len(set(stored))
    assert set(traffic.acknowledged) <= set(stored)


def until(traffic: Traffic, holds: Callable[[], bool]) -> None:
    """Wait for a condition; a failure in the traffic's thread ends the wait."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if traffic.failures:
            raise traffic.failures[0]
        assert time.monotonic() < deadline, f"{len(traffic.acknowledged)} sent, {len(traffic.read)} read"
        time.sleep(0.02)


async def _made(settings: KafkaSettings) -> str:
    topics = KafkaTopics(settings)
    topic = await new_topic(topics)
    await topics.close()
    return topic


async def _everything(settings: KafkaSettings, topic: str) -> list[str]:
    topics = KafkaTopics(settings)
    count = (await topics.counts([topic]))[topic]
    consumer = topics.consumer([topic], group="audit")
    found: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            found += [item.record.value.decode() for item in await consumer.poll(limit=1000, timeout=0.5)]
    await topics.close()
    return found
