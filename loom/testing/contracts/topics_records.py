"""Topics, first part: records come back as they were sent, in order, and are counted."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from loom.domain.errors import EngineFailure
from loom.domain.message import Origin
from loom.ports.transport import TopicRecord, Topics
from loom.testing.contracts.topics_bench import TopicsBench, new_topic, numbered, send, text, unique, values

EVERY_BYTE = bytes(range(256))


@pytest.mark.asyncio
class TopicRecordsContract(TopicsBench):
    """What one sender and one reader may rely on."""

    async def test_a_record_comes_back_as_it_was_sent(self, topics: Topics) -> None:
        """Value, key, headers and time survive; the time to the millisecond."""
        topic = await new_topic(topics)
        sent = TopicRecord(
            topic=topic,
            value=EVERY_BYTE,
            key="schlüssel/1",
            headers={"x-correlation-id": "abc", "x-ort": "Köln ✓", "x-empty": ""},
            timestamp=dt.datetime(2013, 1, 5, 12, 30, 0, 123000, tzinfo=dt.UTC),
        )
        await send(topics, [sent])
        (found,) = await self.read_all(topics, topic, 1)
        assert found.record == sent
        assert found.origin.topic == topic
        assert found.origin.offset == 0

    async def test_no_key_an_empty_key_and_an_empty_value_stay_what_they_are(self, topics: Topics) -> None:
        """``None`` and the empty string are different keys."""
        topic = await new_topic(topics)
        await send(topics, [TopicRecord(topic=topic, value=b"", key=key) for key in (None, "")])
        found = [item.record for item in await self.read_all(topics, topic, 2)]
        assert [record.key for record in found] == [None, ""]
        assert [record.value for record in found] == [b"", b""]

    async def test_a_record_without_a_time_gets_one(self, topics: Topics) -> None:
        """The broker's or the producer's clock says when, in UTC."""
        topic = await new_topic(topics)
        await send(topics, numbered(topic, 1))
        (found,) = await self.read_all(topics, topic, 1)
        assert found.record.timestamp is not None
        assert found.record.timestamp.utcoffset() == dt.timedelta(0)

    async def test_records_of_one_key_stay_in_order(self, topics: Topics) -> None:
        """Each key has one partition, and its records are read in the order in which they were sent."""
        topic = await new_topic(topics, partitions=3)
        await send(topics, [text(topic, f"{key}:{n}", key=key) for n in range(50) for key in ("a", "b", "c", "d")])
        found = await self.read_all(topics, topic, 200)
        for key in ("a", "b", "c", "d"):
            of_key = [item for item in found if item.record.key == key]
            assert values(of_key) == [f"{key}:{n}" for n in range(50)]
            assert len({item.origin.partition for item in of_key}) == 1

    async def test_offsets_count_from_zero_inside_each_partition(self, topics: Topics) -> None:
        """Origins name every record once, without a gap where nothing was aborted."""
        topic = await new_topic(topics, partitions=2)
        await send(topics, numbered(topic, 40))
        found = await self.read_all(topics, topic, 40)
        for partition in {item.origin.partition for item in found}:
            offsets = [item.origin.offset for item in found if item.origin.partition == partition]
            assert offsets == list(range(len(offsets)))

    async def test_one_producer_serves_many_tasks(self, topics: Topics) -> None:
        """Concurrent sends all arrive, and each task's records of one key stay in order."""
        topic = await new_topic(topics, partitions=2)
        producer = topics.producer()

        async def task(name: str) -> None:
            for n in range(10):
                await producer.send([text(topic, f"{name}:{n}", key=name)])

        await asyncio.gather(*(task(f"t{n}") for n in range(10)))
        await producer.close()
        found = await self.read_all(topics, topic, 100)
        for name in (f"t{n}" for n in range(10)):
            assert [v for v in values(found) if v.startswith(f"{name}:")] == [f"{name}:{n}" for n in range(10)]

    async def test_sending_nothing_is_allowed(self, topics: Topics) -> None:
        """An empty batch stores nothing and does not hang."""
        topic = await new_topic(topics)
        await send(topics, [])
        assert await topics.counts([topic]) == {topic: 0}

    async def test_poll_returns_at_most_the_limit(self, topics: Topics) -> None:
        """A consumer that can take three records is not given four."""
        topic = await new_topic(topics)
        await send(topics, numbered(topic, 10))
        consumer = topics.consumer([topic], group=unique("group"))
        found: list[str] = []
        async with asyncio.timeout(self.patience):
            while len(found) < 10:
                polled = await consumer.poll(limit=3, timeout=0.2)
                assert len(polled) <= 3
                found += values(polled)
        await consumer.close()
        assert found == [str(n) for n in range(10)]

    async def test_poll_of_an_empty_topic_returns_nothing(self, topics: Topics) -> None:
        """Nothing to read is an answer, not an error."""
        topic = await new_topic(topics)
        consumer = topics.consumer([topic], group=unique("group"))
        assert list(await consumer.poll(limit=10, timeout=0.05)) == []
        await consumer.close()

    async def test_a_waiting_consumer_gets_what_is_sent_later(self, topics: Topics) -> None:
        """The consumer that joined first reads records that did not exist then."""
        topic = await new_topic(topics)
        consumer = topics.consumer([topic], group=unique("group"))
        waiting = asyncio.create_task(self.read(consumer, 3))
        await asyncio.sleep(0)
        await send(topics, numbered(topic, 3))
        assert values(await waiting) == ["0", "1", "2"]
        await consumer.close()

    async def test_a_poll_that_is_cancelled_loses_nothing(self, topics: Topics) -> None:
        """A flow that stops waiting, and goes on later, sees every record."""
        topic = await new_topic(topics)
        consumer = topics.consumer([topic], group=unique("group"))
        for n, cancel_first in enumerate((True, False, True, False)):
            waiting = asyncio.create_task(consumer.poll(limit=100, timeout=2))
            await asyncio.sleep(0.05)
            if cancel_first:
                waiting.cancel()
            await send(topics, [text(topic, str(n))])
            waiting.cancel()
            for outcome in await asyncio.gather(waiting, return_exceptions=True):
                # It may have been quicker than we were; then its records count as read.
                early = [] if isinstance(outcome, BaseException) else values(outcome)
            assert early + values(await self.read(consumer, 1 - len(early))) == [str(n)]
        await consumer.close()

    async def test_a_consumer_of_many_topics_reads_them_all(self, topics: Topics) -> None:
        """One member may read several topics."""
        first, second = await new_topic(topics), await new_topic(topics)
        await send(topics, [*numbered(first, 3), *numbered(second, 3)])
        consumer = topics.consumer([first, second], group=unique("group"))
        found = await self.read(consumer, 6)
        await consumer.close()
        assert sorted((item.origin.topic, item.origin.offset) for item in found) == sorted(
            (topic, offset) for topic in (first, second) for offset in range(3)
        )

    async def test_ensuring_a_topic_twice_keeps_its_records(self, topics: Topics) -> None:
        """Start-up ensures its topics every time."""
        topic = await new_topic(topics)
        await send(topics, numbered(topic, 3))
        await topics.ensure({topic: 1, unique("other"): 2})
        await topics.ensure({topic: 1})
        assert await topics.counts([topic]) == {topic: 3}

    async def test_counts_are_over_all_partitions_and_zero_for_unknown_topics(self, topics: Topics) -> None:
        """Counting does not create a topic, and reading does not change the count."""
        topic, unknown = await new_topic(topics, partitions=3), unique("unknown")
        await send(topics, numbered(topic, 30))
        await self.read_all(topics, topic, 30)
        assert await topics.counts([topic, unknown]) == {topic: 30, unknown: 0}
        assert await topics.counts([]) == {}

    async def test_a_closed_producer_or_consumer_says_so(self, topics: Topics) -> None:
        """Closing twice is harmless; using what is closed is an error of loom's own."""
        topic = await new_topic(topics)
        producer, consumer = topics.producer(), topics.consumer([topic], group=unique("group"))
        for _ in range(2):
            await producer.close()
            await consumer.close()
        with pytest.raises(EngineFailure, match="closed"):
            await producer.send(numbered(topic, 1))
        with pytest.raises(EngineFailure, match="closed"):
            await consumer.poll(limit=1, timeout=0)
        with pytest.raises(EngineFailure, match="closed"):
            await consumer.commit([Origin(topic=topic, partition=0, offset=0)])
