"""Topics in this process: the embedded default, and the fake that tests use.

Members may run in different threads and event loops. Nothing outlives the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics_broker import Broker, Member
from loom.domain.errors import EngineFailure, LoomError
from loom.domain.message import Origin
from loom.ports.clock import Clock
from loom.ports.transport import ReceivedRecord, TopicRecord


class MemoryTopics:
    """A broker with partitions, groups and commits. ``go_down`` and ``come_up`` are for tests of failures."""

    def __init__(self, settings: MemoryTopicsSettings, *, clock: Clock) -> None:
        self._clock = clock
        self._broker = Broker(settings)

    def go_down(self, reason: str = "a test took it down") -> None:
        """Answer every call with ``Unavailable`` until ``come_up``. What is stored stays stored."""
        self._broker.go_down(reason)

    def come_up(self) -> None:
        """Answer again."""
        self._broker.come_up()

    async def ensure(self, topics: Mapping[str, int]) -> None:
        self._broker.ensure(topics)

    def producer(self) -> MemoryProducer:
        return MemoryProducer(self._broker, self._clock)

    def consumer(self, topics: Sequence[str], *, group: str) -> MemoryConsumer:
        return MemoryConsumer(self._broker, Member(topics=tuple(topics), group=group))

    async def counts(self, topics: Sequence[str]) -> Mapping[str, int]:
        return self._broker.counts(topics)

    async def close(self) -> None:
        """Nothing is held outside this object; what is stored can still be read."""


class MemoryProducer:
    """Appends to the logs of one broker."""

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock
        self._closed = False

    async def send(self, records: Sequence[TopicRecord]) -> None:
        failed = await self.deliver(records)
        if failed:
            raise failed[min(failed)]

    async def deliver(self, records: Sequence[TopicRecord]) -> Mapping[int, LoomError]:
        if self._closed:
            raise EngineFailure("the producer is closed")
        refused = self._broker.append(records, self._clock.now())
        # Nothing here waits for a network: without this a busy sender would keep the loop to itself.
        await asyncio.sleep(0)
        return refused

    async def close(self) -> None:
        self._closed = True


class MemoryConsumer:
    """One member of a group; it joins with its first poll, as a Kafka consumer does."""

    def __init__(self, broker: Broker, member: Member) -> None:
        self._broker = broker
        self._member = member
        self._joined = False
        self._closed = False

    async def poll(self, *, limit: int, timeout: float) -> Sequence[ReceivedRecord]:
        self._check_open()
        if not self._joined:
            self._broker.join(self._member)
            self._joined = True
        # Gives other tasks a turn even where there is always something to read. After the read there must be no
        # await: a poll that is cancelled there would lose what it had read.
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            news = self._broker.waiter(loop)
            try:
                found = self._broker.read(self._member, limit)
                left = deadline - loop.time()
                if found or left <= 0:
                    return found
                await asyncio.wait((news,), timeout=left)
            finally:
                self._broker.forget(news)

    async def caught_up(self) -> bool:
        self._check_open()
        return self._joined and self._broker.caught_up(self._member)

    async def commit(self, origins: Sequence[Origin]) -> None:
        self._check_open()
        if self._joined:
            self._broker.commit(self._member, origins)

    async def close(self) -> None:
        if self._joined and not self._closed:
            self._broker.leave(self._member)
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise EngineFailure("the consumer is closed")
