"""Topics, second part: groups, commits, and what happens when members come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from loom.ports.transport import ReceivedRecord, Topics
from loom.testing.contracts.topics_bench import TopicsBench, new_topic, numbered, send, text, unique, values


@pytest.mark.asyncio
class TopicGroupsContract(TopicsBench):
    """What the members of a group may rely on."""

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
