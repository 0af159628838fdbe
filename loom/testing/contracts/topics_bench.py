"""What the contract of topics is written with: reading with a deadline, and small records."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest_asyncio

from loom.ports.transport import ReceivedRecord, TopicConsumer, TopicRecord, Topics


class TopicsBench:
    """What the tests of topics have in common: how the broker is opened, and how it is read."""

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
