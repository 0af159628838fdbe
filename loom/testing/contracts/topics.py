"""What every ``Topics`` adapter must do. Subclass ``TopicsContract``, say how the broker is opened, and run it.

    class TestMyTopics(TopicsContract):
        def make_topics(self) -> Topics:
            return MyTopics(...)

Needs pytest and pytest-asyncio. Every test uses topics and groups of its own, so one broker may serve many runs.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from loom.domain.errors import EngineFailure
from loom.domain.message import Origin
from loom.ports.transport import ReceivedRecord, TopicConsumer, TopicRecord, Topics

EVERY_BYTE = bytes(range(256))


@pytest.mark.asyncio
class TopicsContract:
    """The contract of the ``Topics`` port: order per key, groups, commits, and what happens when members change."""

    patience: float = 30.0
    """Seconds to wait for something that must happen, such as the end of a rebalance."""

    def make_topics(self) -> Topics:
        """Open the broker under test. Called once a test; the suite closes what it returns."""
        raise NotImplementedError

    @pytest_asyncio.fixture
    async def topics(self) -> AsyncIterator[Topics]:
        opened = self.make_topics()
        yield opened
        await opened.close()

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

    async def test_every_group_reads_everything(self, topics: Topics) -> None:
        """A group's commits do not move another group."""
        topic = await new_topic(topics)
        await send(topics, numbered(topic, 5))
        for _ in range(2):
            consumer = topics.consumer([topic], group=unique("group"))
            found = await self.read(consumer, 5)
            await consumer.commit([item.origin for item in found])
            await consumer.close()
            assert values(found) == ["0", "1", "2", "3", "4"]

    async def test_a_new_group_starts_at_the_beginning_even_late(self, topics: Topics) -> None:
        """A consumer that joins after the fact misses nothing."""
        topic = await new_topic(topics)
        await send(topics, numbered(topic, 3))
        early = topics.consumer([topic], group=unique("group"))
        await self.read(early, 3)
        await send(topics, [text(topic, "late")])
        assert values(await self.read_all(topics, topic, 4)) == ["0", "1", "2", "late"]
        await early.close()

    async def test_the_next_member_resumes_behind_the_commit(self, topics: Topics) -> None:
        """A commit covers its origin and everything before it."""
        topic, group = await new_topic(topics), unique("group")
        await send(topics, numbered(topic, 10))
        first = topics.consumer([topic], group=group)
        found = await self.read(first, 10)
        await first.commit([found[3].origin])
        await first.close()
        assert values(await self.read_all(topics, topic, 6, group=group)) == ["4", "5", "6", "7", "8", "9"]

    async def test_what_was_not_committed_is_read_again(self, topics: Topics) -> None:
        """Reading alone records nothing."""
        topic, group = await new_topic(topics), unique("group")
        await send(topics, numbered(topic, 4))
        for _ in range(2):
            assert values(await self.read_all(topics, topic, 4, group=group)) == ["0", "1", "2", "3"]

    async def test_commits_are_kept_for_each_partition(self, topics: Topics) -> None:
        """Of many origins of one partition the highest counts; other partitions stay where they are."""
        topic, group = await new_topic(topics, partitions=2), unique("group")
        await send(topics, numbered(topic, 40))
        first = topics.consumer([topic], group=group)
        found = await self.read(first, 40)
        zero = [item for item in found if item.origin.partition == 0]
        await first.commit([item.origin for item in reversed(zero)])
        await first.close()
        again = await self.read_all(topics, topic, 40 - len(zero), group=group)
        assert {item.origin.partition for item in again} == {1}

    async def test_an_older_commit_does_not_take_back_a_newer_one(self, topics: Topics) -> None:
        """What is done stays done, in whatever order a flow finishes its records."""
        topic, group = await new_topic(topics), unique("group")
        await send(topics, numbered(topic, 5))
        first = topics.consumer([topic], group=group)
        found = await self.read(first, 5)
        await first.commit([found[3].origin])
        await first.commit([found[1].origin])
        await first.close()
        assert values(await self.read_all(topics, topic, 1, group=group)) == ["4"]

    async def test_two_members_share_the_partitions(self, topics: Topics) -> None:
        """Once both have joined, each record goes to exactly one of them, and both work."""
        topic, group = await new_topic(topics, partitions=4), unique("group")
        one, two = (topics.consumer([topic], group=group) for _ in range(2))
        await self.settle(topics, topic, one, two)
        await send(topics, [text(topic, f"shared:{n}", key=str(n)) for n in range(100)])
        found: list[list[ReceivedRecord]] = [[], []]
        async with asyncio.timeout(self.patience):
            while sum(map(len, found)) < 100:
                for mine, polled in zip(found, await self.poll_both(one, two), strict=True):
                    mine += [item for item in polled if item.record.value.startswith(b"shared:")]
        assert sorted(values(found[0] + found[1])) == sorted(f"shared:{n}" for n in range(100))
        first, second = ({item.origin.partition for item in mine} for mine in found)
        assert first
        assert second
        assert not first & second
        await one.close()
        await two.close()

    async def test_a_member_that_leaves_hands_over_its_partitions(self, topics: Topics) -> None:
        """The one that stays reads what the other had not committed."""
        topic, group = await new_topic(topics, partitions=2), unique("group")
        one, two = (topics.consumer([topic], group=group) for _ in range(2))
        await self.settle(topics, topic, one, two)
        await two.close()
        await send(topics, [text(topic, f"after:{n}", key=str(n)) for n in range(40)])
        found: set[str] = set()
        async with asyncio.timeout(self.patience):
            while sum(value.startswith("after:") for value in found) < 40:
                found |= set(values(await one.poll(limit=100, timeout=0.2)))
        await one.close()

    async def test_a_partition_that_was_lost_is_not_committed(self, topics: Topics) -> None:
        """Records of a partition that went to another member stay uncommitted: that member says when they are done."""
        topic, group = await new_topic(topics, partitions=2), unique("group")
        await send(topics, numbered(topic, 40))
        one, two = (topics.consumer([topic], group=group) for _ in range(2))
        mine = await self.read(one, 40)
        taken: Sequence[ReceivedRecord] = []
        async with asyncio.timeout(self.patience):
            while not taken:
                _, taken = await self.poll_both(one, two)
        lost = {item.origin.partition for item in taken}
        await one.commit([item.origin for item in mine])
        await one.close()
        await two.close()
        expected = [item for item in mine if item.origin.partition in lost]
        again = await self.read_all(topics, topic, len(expected), group=group)
        assert sorted(values(again)) == sorted(values(expected))

    async def test_a_member_knows_when_it_has_caught_up(self, topics: Topics) -> None:
        """Not before its first poll, not while something is unread, and again after each of them was read."""
        topic = await new_topic(topics, partitions=3)
        await send(topics, numbered(topic, 20))
        consumer = topics.consumer([topic], group=unique("group"))
        assert not await consumer.caught_up()
        first: Sequence[ReceivedRecord] = []
        async with asyncio.timeout(self.patience):
            while not first:
                first = await consumer.poll(limit=5, timeout=0.2)
        assert not await consumer.caught_up()
        await self.read(consumer, 20 - len(first))
        await self.catch_up(consumer)
        await send(topics, [text(topic, "late")])
        assert not await consumer.caught_up()
        assert values(await self.read(consumer, 1)) == ["late"]
        await self.catch_up(consumer)
        await consumer.close()

    async def test_a_member_behind_its_groups_commits_has_caught_up(self, topics: Topics) -> None:
        """There is nothing to read for it, whether its partitions hold records or not, nor without a partition."""
        topic, group = await new_topic(topics, partitions=1), unique("group")
        await send(topics, numbered(topic, 3))
        first = topics.consumer([topic], group=group)
        found = await self.read(first, 3)
        await first.commit([item.origin for item in found])
        await self.catch_up(first)
        await first.close()
        one, two = (topics.consumer([topic], group=group) for _ in range(2))
        async with asyncio.timeout(self.patience):
            while not all([await one.caught_up(), await two.caught_up()]):
                assert [values(polled) for polled in await self.poll_both(one, two)] == [[], []]
        await one.close()
        await two.close()

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

    async def read(self, consumer: TopicConsumer, count: int) -> list[ReceivedRecord]:
        """Exactly ``count`` records, and not one more in what the broker hands over with them."""
        found: list[ReceivedRecord] = []
        async with asyncio.timeout(self.patience):
            while len(found) < count:
                found += await consumer.poll(limit=1000, timeout=0.2)
        assert len(found) == count, f"{len(found) - count} records too many"
        return found

    async def read_all(self, topics: Topics, topic: str, count: int, *, group: str = "") -> list[ReceivedRecord]:
        """Read with a member that joins, commits nothing and leaves."""
        consumer = topics.consumer([topic], group=group or unique("group"))
        found = await self.read(consumer, count)
        await consumer.close()
        return found

    async def catch_up(self, consumer: TopicConsumer) -> None:
        """Poll until the member says that nothing is left; it must not be given anything any more."""
        async with asyncio.timeout(self.patience):
            while not await consumer.caught_up():
                assert not await consumer.poll(limit=10, timeout=0.1)

    async def poll_both(self, one: TopicConsumer, two: TopicConsumer) -> tuple[Sequence[ReceivedRecord], ...]:
        """Poll both at once: a rebalance ends only when every member takes part."""
        return tuple(await asyncio.gather(*(member.poll(limit=1000, timeout=0.2) for member in (one, two))))

    async def settle(self, topics: Topics, topic: str, one: TopicConsumer, two: TopicConsumer) -> None:
        """Send and poll until each member has been given records in the same round, and everything is read."""
        seen = (0, 0)
        async with asyncio.timeout(self.patience):
            while not all(seen):
                await send(topics, [text(topic, f"settle:{n}", key=str(n)) for n in range(40)])
                first, second = await self.poll_both(one, two)
                seen = (len(first), len(second))
            while any(map(len, await self.poll_both(one, two))):
                pass


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}.{uuid.uuid4().hex[:12]}"


async def new_topic(topics: Topics, partitions: int = 1) -> str:
    """A new, empty topic."""
    topic = unique("contract")
    await topics.ensure({topic: partitions})
    return topic


async def send(topics: Topics, records: Sequence[TopicRecord]) -> None:
    """Send with a producer that is closed again."""
    producer = topics.producer()
    await producer.send(records)
    await producer.close()


def text(topic: str, value: str, *, key: str | None = None) -> TopicRecord:
    """A record with a readable value."""
    return TopicRecord(topic=topic, value=value.encode(), key=key)


def numbered(topic: str, count: int) -> list[TopicRecord]:
    """Records ``0``, ``1``, ... with their number as key, so that they spread over the partitions."""
    return [text(topic, str(n), key=str(n)) for n in range(count)]


def values(records: Sequence[ReceivedRecord]) -> list[str]:
    """The values of records as text."""
    return [item.record.value.decode() for item in records]
