"""Senders: how a record of each kind leaves. A sender raises where it cannot say that everything arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from loom.domain.events import ID_HEADER, TYPE_HEADER, OutboxRecord
from loom.ports.jobs import JobMessage, JobQueue
from loom.ports.transport import TopicProducer, TopicRecord, Topics


class Sender(Protocol):
    """Protocol of sending records of one kind."""

    async def send(self, records: Sequence[OutboxRecord]) -> None:
        """Send records in order; returns when the receiver holds all of them.

        Raises:
            LoomError: some may not have arrived; the relay sends all of them again.
        """

    async def close(self) -> None:
        """Let go of the connection."""


@attrs.define(eq=False, repr=False)
class EventSender:
    """Sends events to their topics, and creates a topic before its first event.

    ``partitions`` is the number of partitions of a topic that is created here.
    """

    topics: Topics
    partitions: int = 1
    _producer: TopicProducer | None = attrs.field(default=None, init=False)
    _ensured: set[str] = attrs.field(factory=set, init=False)

    async def send(self, records: Sequence[OutboxRecord]) -> None:
        """Send events; see ``Sender.send``."""
        missing = {record.destination for record in records} - self._ensured
        if missing:
            await self.topics.ensure(dict.fromkeys(sorted(missing), self.partitions))
            self._ensured |= missing
        if self._producer is None:
            self._producer = self.topics.producer()
        await self._producer.send([_topic_record(record) for record in records])

    async def close(self) -> None:
        """Close the producer."""
        if self._producer is not None:
            await self._producer.close()
            self._producer = None


@attrs.define(eq=False, repr=False)
class JobSender:
    """Hands jobs to the queue. ``message`` completes a record with what the job's plan says (queue, retries, ...)."""

    queue: JobQueue
    message: Callable[[OutboxRecord], JobMessage]

    async def send(self, records: Sequence[OutboxRecord]) -> None:
        """Enqueue jobs; see ``Sender.send``."""
        for record in records:
            await self.queue.enqueue(self.message(record))

    async def close(self) -> None:
        """The kernel stops the queue itself."""


def _topic_record(record: OutboxRecord) -> TopicRecord:
    return TopicRecord(
        topic=record.destination,
        value=record.payload,
        key=record.key or None,
        headers={**record.headers, ID_HEADER: str(record.id), TYPE_HEADER: record.type},
        timestamp=record.created_at,
    )
