"""The in-memory broker keeps the contract of topics, also between threads and while it is down."""

import asyncio
import datetime as dt
import threading

import pytest

from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.domain.errors import NotFound, Unavailable
from loom.testing.contracts.topics import TopicsContract
from loom.testing.contracts.topics_bench import new_topic, numbered, send, unique, values


class SystemClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def memory_topics(settings: MemoryTopicsSettings | None = None) -> MemoryTopics:
    return MemoryTopics(settings or MemoryTopicsSettings(), clock=SystemClock())


class TestMemoryTopics(TopicsContract):
    def make_topics(self) -> MemoryTopics:
        return memory_topics()


async def test_a_topic_that_nobody_ensured_is_made_by_use() -> None:
    """With the default settings an event finds its topic; its partitions are those of the settings."""
    topics = memory_topics(MemoryTopicsSettings(partitions=2))
    await send(topics, numbered("orders", 40))
    consumer = topics.consumer(["orders", "later"], group="g")
    found = await consumer.poll(limit=100, timeout=1)
    assert {item.origin.partition for item in found} == {0, 1}


async def test_without_create_missing_an_unknown_topic_is_an_error() -> None:
    """A misspelt topic is found by the first use of it, and nothing of the batch is stored."""
    topics = memory_topics(MemoryTopicsSettings(create_missing=False))
    await topics.ensure({"orders": 1})
    with pytest.raises(NotFound, match="topic 'ordres' does not exist"):
        await send(topics, [*numbered("orders", 1), *numbered("ordres", 1)])
    with pytest.raises(NotFound, match="topic 'ordres' does not exist"):
        await topics.consumer(["ordres"], group="g").poll(limit=1, timeout=0)
    assert await topics.counts(["orders"]) == {"orders": 0}


async def test_a_broker_that_is_down_refuses_until_it_is_up_again() -> None:
    """Every call says so, a consumer that waits is woken by it, and what was stored is there afterwards."""
    topics = memory_topics()
    topic = await new_topic(topics)
    await send(topics, numbered(topic, 2))
    consumer = topics.consumer([topic], group=unique("group"))
    found = await consumer.poll(limit=2, timeout=1)
    waiting = asyncio.create_task(consumer.poll(limit=1, timeout=60))
    await asyncio.sleep(0)
    topics.go_down("power cut")
    with pytest.raises(Unavailable, match="power cut"):
        await waiting
    with pytest.raises(Unavailable):
        await send(topics, numbered(topic, 1))
    with pytest.raises(Unavailable):
        await consumer.commit([found[0].origin])
    with pytest.raises(Unavailable):
        await topics.counts([topic])
    topics.come_up()
    await send(topics, numbered(topic, 1))
    assert await topics.counts([topic]) == {topic: 3}
    assert values(await consumer.poll(limit=9, timeout=1)) == ["0"]


async def test_a_consumer_in_another_thread_is_woken_and_shares_the_group() -> None:
    """A flow may run in a thread with an event loop of its own, while this loop sends."""
    topics = memory_topics()
    topic = await new_topic(topics, partitions=2)
    found: list[str] = []

    async def read() -> None:
        consumer = topics.consumer([topic], group="threads")
        while len(found) < 200:
            polled = await consumer.poll(limit=7, timeout=30)
            found.extend(values(polled))
            await consumer.commit([item.origin for item in polled])
        await consumer.close()

    thread = threading.Thread(target=lambda: asyncio.run(read()))
    thread.start()
    for _ in range(20):
        await send(topics, numbered(topic, 10))
    await asyncio.to_thread(thread.join, 30)
    assert sorted(found) == sorted(str(n) for n in range(10) for _ in range(20))
