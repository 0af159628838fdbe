"""Reading from Kafka as a member of a group. All calls of one client run in one thread, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from loom.adapters.kafka.catalogue import Catalogue
from loom.adapters.kafka.membership import Membership
from loom.adapters.kafka.options import logger
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.thread import CallThread
from loom.domain.errors import EngineFailure, LoomError
from loom.domain.message import Origin
from loom.ports.transport import ReceivedRecord

T = TypeVar("T")

# What librdkafka takes where the option is not set.
_POLL_INTERVAL = "300000"
# Seconds after which a member that nobody reads from polls for itself; a rebalance waits as long for it.
_LONGEST_IDLE = 5.0


class KafkaConsumer:
    """One member of a group; it joins with its first poll."""

    def __init__(self, settings: KafkaSettings, catalogue: Catalogue, topics: Sequence[str], group: str) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._membership = Membership(settings, topics, group)
        self._topics = tuple(topics)
        interval = int(settings.options.get("max.poll.interval.ms", _POLL_INTERVAL)) / 1000
        self._thread = CallThread(
            "loom-kafka-consumer", idle=self._membership.keep_alive, every=min(_LONGEST_IDLE, interval / 4)
        )
        self._reading: Future[list[ReceivedRecord]] | None = None
        self.closed = False

    async def poll(self, *, limit: int, timeout: float) -> Sequence[ReceivedRecord]:
        self._check_open()
        if self._reading is None:
            await self._catalogue.require(self._topics)
            self._reading = self._thread.submit(lambda: self._membership.read(limit, timeout))
        # A thread cannot be cancelled: where this task is, the read goes on and the next poll gets its records.
        try:
            records = await asyncio.shield(asyncio.wrap_future(self._reading))
        except LoomError:
            self._reading = None
            raise
        self._reading = None
        return records

    async def caught_up(self) -> bool:
        self._check_open()
        return self._reading is None and await self._in_thread(self._membership.caught_up)

    async def commit(self, origins: Sequence[Origin]) -> None:
        self._check_open()
        await self._in_thread(lambda: self._membership.commit(origins))

    async def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        leaving = asyncio.wrap_future(self._thread.submit(self._membership.leave))
        self._thread.end()
        # The commit before it may take one such time; librdkafka itself would wait for a broker that is gone as long as
        # the session lasts.
        done, _ = await asyncio.wait((leaving,), timeout=2 * self._settings.connect_timeout)
        if not done:
            logger.warning("no broker took leave of group member %s in time", self._membership.group)
            return
        await leaving

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._thread.submit(call))

    def _check_open(self) -> None:
        if self.closed:
            raise EngineFailure("the consumer is closed")
