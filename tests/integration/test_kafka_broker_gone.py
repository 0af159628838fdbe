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
from loom.ports.transport import ReceivedRecord
from loom.testing.contracts.topics_bench import new_topic, text
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


def impatient(broker: KafkaBroker) -> KafkaSettings:
    """Settings under which an outage is noticed soon."""
    options = {"reconnect.backoff.max.ms": "500", "heartbeat.interval.ms": "200", "session.timeout.ms": "6000"}
    return KafkaSettings(brokers=broker.bootstrap, connect_timeout=1.0, options=options)


@pytest.fixture
def traffic(own_kafka: KafkaBroker) -> Iterator[Traffic]:
    settings = impatient(own_kafka)
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


async def test_a_flow_can_be_stopped_while_the_broker_is_gone(own_kafka: KafkaBroker) -> None:
    """Sends and commits give up in their time, and closing does not wait for the broker to come back."""
    topics = KafkaTopics(attrs.evolve(impatient(own_kafka), delivery_timeout=5.0))
    topic = await new_topic(topics)
    producer, consumer = topics.producer(), topics.consumer([topic], group="stopped")
    await producer.send([text(topic, "one"), text(topic, "two")])
    found: list[ReceivedRecord] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < 2:
            found += await consumer.poll(limit=10, timeout=0.1)
    await consumer.commit([found[0].origin])
    own_kafka.kill()
    with pytest.raises(Unavailable, match=f"no Kafka broker answers at {own_kafka.bootstrap} within 1 s"):
        await consumer.commit([found[1].origin])
    with pytest.raises(Unavailable, match=f"sending to topic '{topic}'"):
        await producer.send([text(topic, "three")])
    async with asyncio.timeout(20):
        await topics.close()


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
