"""Kafka keeps the contract of topics, against a real broker."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from confluent_kafka import Producer

from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.domain.errors import NotFound, RecordRefused
from loom.ports.transport import TopicRecord
from loom.testing.contracts.topics import TopicsContract
from loom.testing.contracts.topics_bench import new_topic, numbered, send, text, unique, values

# A member learns of a rebalance by its heartbeat; the default of three seconds would only make the tests slow.
QUICK = {"heartbeat.interval.ms": "100", "session.timeout.ms": "6000"}
# tansu answers the offset of the last batch where it is asked for the last offset.
COUNTING = {
    "test_ensuring_a_topic_twice_keeps_its_records",
    "test_counts_are_over_all_partitions_and_zero_for_unknown_topics",
}
pytestmark = pytest.mark.kafka


class TestKafkaTopics(TopicsContract):
    brokers: str

    @pytest.fixture(autouse=True)
    def _broker(self, request: pytest.FixtureRequest) -> None:
        counts = request.node.originalname in COUNTING
        self.brokers = request.getfixturevalue("apache_kafka_brokers" if counts else "kafka_brokers")

    def make_topics(self) -> KafkaTopics:
        return KafkaTopics(KafkaSettings(brokers=self.brokers, options=QUICK))


@pytest.fixture
async def kafka(kafka_brokers: str) -> AsyncIterator[KafkaTopics]:
    topics = KafkaTopics(KafkaSettings(brokers=kafka_brokers, partitions=2, options=QUICK))
    yield topics
    await topics.close()


async def test_a_topic_that_nobody_ensured_is_made_by_use(kafka: KafkaTopics) -> None:
    """An event finds its topic, with the partitions of the settings, whatever the broker itself would do."""
    topic = unique("made")
    await send(kafka, numbered(topic, 40))
    found = await TopicsContract().read_all(kafka, topic, 40)
    assert {item.origin.partition for item in found} == {0, 1}


async def test_without_create_missing_an_unknown_topic_is_an_error(kafka_brokers: str) -> None:
    """A misspelt topic is found at once, by the producer and by the consumer, and is not created by the question."""
    topics = KafkaTopics(KafkaSettings(brokers=kafka_brokers, create_missing=False, options=QUICK))
    misspelt = unique("ordres")
    with pytest.raises(NotFound, match=f"topic '{misspelt}' does not exist"):
        await send(topics, numbered(misspelt, 1))
    with pytest.raises(NotFound, match=f"topic '{misspelt}' does not exist"):
        await topics.consumer([misspelt], group="g").poll(limit=1, timeout=0)
    await topics.close()


async def test_a_record_that_is_too_large_fails_alone(kafka: KafkaTopics) -> None:
    """The error says why; the others of its batch are stored, and the producer goes on."""
    topic = await new_topic(kafka)
    producer = kafka.producer()
    with pytest.raises(RecordRefused, match=f"sending to topic '{topic}'.*MSG_SIZE_TOO_LARGE"):
        await producer.send([text(topic, "before"), TopicRecord(topic=topic, value=bytes(2_000_000)), text(topic, "x")])
    await producer.send([text(topic, "after")])
    assert values(await TopicsContract().read_all(kafka, topic, 3)) == ["before", "x", "after"]


async def test_text_of_other_senders_survives_a_round_trip(kafka: KafkaTopics, kafka_brokers: str) -> None:
    """A key that is no UTF-8, a header without a value and a tombstone are read, and the key can be sent again."""
    topic = await new_topic(kafka)
    other = Producer({"bootstrap.servers": kafka_brokers})
    other.produce(topic, key=b"\xff\x00k", headers=[("h", None), ("b", b"\xfe")])
    await asyncio.to_thread(other.flush)
    (found,) = await TopicsContract().read_all(kafka, topic, 1)
    assert found.record.value == b""
    assert found.record.headers["h"] == ""
    await send(kafka, [found.record])
    again = await TopicsContract().read_all(kafka, topic, 2)
    assert again[1].record == found.record
    assert again[1].record.key is not None
    assert again[1].record.key.encode("utf-8", "surrogateescape") == b"\xff\x00k"


async def test_more_records_than_the_local_queue_holds_are_all_sent(kafka_brokers: str) -> None:
    """A full queue makes the sender wait, not fail."""
    options = {**QUICK, "queue.buffering.max.messages": "100"}
    topics = KafkaTopics(KafkaSettings(brokers=kafka_brokers, options=options))
    topic = await new_topic(topics)
    await send(topics, numbered(topic, 3000))
    found = await TopicsContract().read_all(topics, topic, 3000)
    assert values(found) == [str(n) for n in range(3000)]
    await topics.close()


async def test_a_producer_serves_several_event_loops(kafka: KafkaTopics) -> None:
    """A flow in a thread and the relay in the main loop share one producer."""
    topic = await new_topic(kafka)
    producer = kafka.producer()

    async def sends(name: str) -> None:
        await producer.send([text(topic, f"{name}:{n}", key=name) for n in range(20)])

    await asyncio.gather(sends("main"), *(asyncio.to_thread(asyncio.run, sends(f"t{n}")) for n in range(3)))
    found = values(await TopicsContract().read_all(kafka, topic, 80))
    assert [value for value in found if value.startswith("t2:")] == [f"t2:{n}" for n in range(20)]


async def test_closing_the_topics_leaves_the_groups(kafka_brokers: str) -> None:
    """What a flow left open at shutdown does not hold its partitions until the session times out."""
    group = uuid.uuid4().hex
    first = KafkaTopics(KafkaSettings(brokers=kafka_brokers, options=QUICK))
    topic = await new_topic(first)
    await send(first, numbered(topic, 2))
    held = first.consumer([topic], group=group)
    assert len(await TopicsContract().read(held, 2)) == 2
    await first.close()
    second = KafkaTopics(KafkaSettings(brokers=kafka_brokers, options=QUICK))
    # Far below the session timeout of six seconds, were it a broker's answer and not a wait for it.
    async with asyncio.timeout(5):
        assert len(await TopicsContract().read_all(second, topic, 2, group=group)) == 2
    await second.close()
