"""Flows on a broker that has faults on demand: slow records, a broker that is away, requests that are refused."""

import asyncio
import logging
import time

import attrs
import pytest

from loom.adapters.bytewax.settings import BytewaxSettings
from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.application.streaming.bind import BoundFlow
from loom.domain.errors import EngineFailure, RecordRefused
from loom.ports.streaming import StreamEngine
from loom.ports.transport import TopicRecord
from loom.streaming import RecordStep, retry
from loom.testing.contracts.streaming import flow_of, into, orders
from loom.testing.contracts.streaming_bench import Bench, FaultyTopics
from loom.testing.contracts.streaming_flows import First, Order
from tests.servers.kafka_mock import PRODUCE, MockKafka

pytestmark = [pytest.mark.kafka]
# The shortest that librdkafka takes is the session timeout; a member that does not poll for as long is expelled.
OPTIONS = {
    "session.timeout.ms": "1500",
    "max.poll.interval.ms": "1500",
    "heartbeat.interval.ms": "100",
    "fetch.wait.max.ms": "20",
    "reconnect.backoff.ms": "20",
    "reconnect.backoff.max.ms": "50",
}
INVALID_RECORD = 87


def engine_named(name: str) -> StreamEngine[BoundFlow]:
    if name == "inline":
        return InlineStreamEngine(InlineStreamingSettings(poll_seconds=0.05))
    pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")
    from loom.adapters.bytewax.engine import BytewaxStreamEngine

    return BytewaxStreamEngine(BytewaxSettings())


@pytest.fixture(params=["inline", "bytewax"])
def bench(request: pytest.FixtureRequest, mock_kafka: MockKafka) -> Bench:
    settings = KafkaSettings(brokers=mock_kafka.bootstrap, options=OPTIONS, connect_timeout=5.0)
    made = Bench(engine_named(request.param), FaultyTopics(KafkaTopics(settings)), patience=60)
    mock_kafka.create(*(made.name(word) for word in ("in", "out", "dlq")))
    return made


class Blocking(RecordStep[Order, Order]):
    """Holds the thread of the engine: twice the time after which a silent member is expelled."""

    def process(self, order: Order) -> Order:
        time.sleep(3 if order.id == 1 else 0)
        return order


class Stubborn(First):
    """Is tried again for longer than a silent member may be."""

    on_error = retry(4, backoff=0.2)


class Waiting(RecordStep[Order, Order]):
    """Takes a little for each record, and so a multiple of that time for all."""

    async def process(self, order: Order) -> Order:
        await asyncio.sleep(0.02)
        return order


async def test_a_record_may_take_longer_than_a_member_may_be_silent(bench: Bench) -> None:
    """Nothing is read twice, and everything is committed."""
    await bench.send("in", orders(3))
    flow = flow_of(bench, Blocking, into(bench))
    report = await bench.run(flow)
    assert await bench.ids("out") == [0, 1, 2]
    assert (report.read, report.repeated) == (3, 0)
    assert (await bench.run(flow)).read == 0
    await bench.topics.close()


async def test_a_retry_may_take_longer_than_a_member_may_be_silent(bench: Bench) -> None:
    """The membership outlives the waits between the attempts."""
    bench.ledger.broken["Stubborn", 1] = 4
    await bench.send("in", orders(3))
    flow = flow_of(bench, Stubborn, into(bench))
    report = await bench.run(flow)
    assert (report.read, report.retries, report.repeated) == (3, 4, 0)
    assert await bench.ids("out") == [0, 1, 2]
    assert (await bench.run(flow)).read == 0
    await bench.topics.close()


async def test_many_slow_records_are_committed_on_the_way(bench: Bench) -> None:
    """A crash in the middle costs no more than the last second."""
    await bench.send("in", orders(200))
    flow = flow_of(bench, Waiting, into(bench))
    running = bench.start(flow)
    await bench.wait_for("out", 60)
    await running.crash()
    report = await bench.run(flow)
    assert report.read < 200
    ids = await bench.ids("out")
    assert sorted(set(ids)) == list(range(200))
    assert len(ids) < 300
    await bench.topics.close()


async def test_a_broker_that_is_away_for_a_moment_does_not_end_a_flow(bench: Bench, mock_kafka: MockKafka) -> None:
    """What is sent afterwards is handled."""
    running = bench.start(flow_of(bench, First, into(bench)))
    await bench.send("in", orders(3))
    await bench.wait_for("out", 3)
    mock_kafka.go_down()
    await asyncio.sleep(0.5)
    mock_kafka.come_up()
    await bench.send("in", orders(3, start=3))
    assert sorted({*await ids_once(bench, 6)}) == [0, 1, 2, 3, 4, 5]
    await running.end()
    await bench.topics.close()


async def test_an_outage_of_the_broker_is_told_once_and_ends(
    bench: Bench, mock_kafka: MockKafka, caplog: pytest.LogCaptureFixture
) -> None:
    """However often librdkafka says that no broker is left."""
    running = bench.start(flow_of(bench, First, into(bench)))
    await bench.send("in", orders(1))
    await bench.wait_for("out", 1)
    with caplog.at_level(logging.WARNING, logger="loom.streaming"):
        caplog.clear()  # the flow tells its own beginning, where the level of an earlier test lets it
        mock_kafka.go_down()
        await told(caplog, "waits: FromTopic(")
        await asyncio.sleep(2)
        mock_kafka.come_up()
        await told(caplog, "goes on: FromTopic(")
    lines = [record.getMessage() for record in caplog.records if "FromTopic(" in record.getMessage()]
    assert len(lines) == 2, lines
    await bench.send("in", orders(1, start=1))
    await ids_once(bench, 2)
    await running.end()
    await bench.topics.close()


async def test_a_broker_that_stays_away_ends_a_flow_after_the_time_that_is_set(
    bench: Bench, mock_kafka: MockKafka
) -> None:
    """Loudly, with what was waited for."""
    bench.give_up_after = 2.0
    running = bench.start(flow_of(bench, First, into(bench)))
    await bench.send("in", orders(1))
    await bench.wait_for("out", 1)
    mock_kafka.go_down()
    with pytest.raises(EngineFailure, match=r"stopped: .* failed for .* s .*give_up_after"):
        async with asyncio.timeout(bench.patience):
            await running.task


@attrs.frozen
class Sent:
    """Records of one key each, and how they are sent as several requests."""

    topics: KafkaTopics
    topic: str

    def records(self, count: int, *, size: int = 10) -> list[TopicRecord]:
        return [TopicRecord(topic=self.topic, value=b"%d" % n, key=f"k{n % 5}") for n in range(count)]


async def test_only_what_a_broker_refused_is_sent_again(mock_kafka: MockKafka) -> None:
    """Of many requests one is refused for the sake of one record: alone, each of its records is taken."""
    settings = KafkaSettings(brokers=mock_kafka.bootstrap, options={**OPTIONS, "batch.num.messages": "10"})
    sent = Sent(KafkaTopics(settings), "out")
    mock_kafka.create("out")
    mock_kafka.refuse(PRODUCE, 0, INVALID_RECORD)
    producer = sent.topics.producer()
    records = [TopicRecord(topic="out", value=b"%d" % n, key=f"k{n}") for n in range(100)]
    assert await producer.deliver(records) == {}
    counts = await sent.topics.counts(["out"])
    assert counts["out"] == 100
    await sent.topics.close()


async def test_records_of_a_key_stay_in_order_when_some_are_sent_again(mock_kafka: MockKafka) -> None:
    """The last one of a key is the last one in the topic."""
    settings = KafkaSettings(brokers=mock_kafka.bootstrap, options={**OPTIONS, "batch.num.messages": "10"})
    sent = Sent(KafkaTopics(settings), "out")
    mock_kafka.create("out")
    mock_kafka.refuse(PRODUCE, 0, INVALID_RECORD)
    assert await sent.topics.producer().deliver(sent.records(60)) == {}
    consumer = sent.topics.consumer(["out"], group="audit")
    found: list[tuple[str | None, int]] = []
    async with asyncio.timeout(30):
        while len(found) < (await sent.topics.counts(["out"]))["out"]:
            polled = await consumer.poll(limit=1000, timeout=0.2)
            found += [(one.record.key, int(one.record.value)) for one in polled]
    for key in {key for key, _ in found}:
        mine = [number for each, number in found if each == key]
        assert mine[-1] == max(mine)
    assert {number for _, number in found} == set(range(60))
    await sent.topics.close()


async def test_a_record_that_a_broker_refuses_alone_is_told_by_its_position(mock_kafka: MockKafka) -> None:
    """And makes no other one fail."""
    settings = KafkaSettings(brokers=mock_kafka.bootstrap, options=OPTIONS)
    topics = KafkaTopics(settings)
    mock_kafka.create("out")
    big = TopicRecord(topic="out", value=bytes(2_000_000))
    failed = await topics.producer().deliver(
        [TopicRecord(topic="out", value=b"a"), big, TopicRecord(topic="out", value=b"b")]
    )
    assert list(failed) == [1]
    assert isinstance(failed[1], RecordRefused)
    assert (await topics.counts(["out"]))["out"] == 2
    await topics.close()


async def ids_once(bench: Bench, count: int) -> list[int]:
    """The different ids in ``out``, as soon as there are so many."""
    async with asyncio.timeout(bench.patience):
        while len(found := {*await bench.ids("out")}) < count:  # noqa: ASYNC110 - a broker tells nobody
            await asyncio.sleep(0.1)
    return sorted(found)


async def told(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Wait for a line of the log."""
    async with asyncio.timeout(30):
        while not any(text in record.getMessage() for record in caplog.records):  # noqa: ASYNC110 - nor does a log
            await asyncio.sleep(0.05)
