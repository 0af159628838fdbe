"""Protocols of topics: an append-only log with keys, partitions, groups and offsets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from loom.domain.errors import LoomError
from loom.domain.frozen import frozen
from loom.domain.message import Origin


def to_bytes(text: str) -> bytes:
    """The bytes of a key or a header's value.

    Raises:
        UnicodeEncodeError: it holds a lone surrogate that no bytes were read as.
    """
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """A key or a header's value as text; ``to_bytes`` gives the same bytes again, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


@frozen(kw_only=True)
class TopicRecord:
    """One record as bytes. Records of one key stay in order; a record without a key goes anywhere.

    Brokers keep the key and the values of headers as bytes. Here they are text, in which bytes that are no UTF-8 stand
    as surrogate escapes: see ``to_bytes``.
    """

    topic: str
    value: bytes
    key: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    timestamp: dt.datetime | None = None


@frozen(kw_only=True)
class ReceivedRecord:
    """A record that was read, with where it was read."""

    record: TopicRecord
    origin: Origin


class TopicProducer(Protocol):
    """Protocol of sending. One producer a process is enough; it is safe to share between tasks."""

    async def send(self, records: Sequence[TopicRecord]) -> None:
        """Send records and return when all are stored by the broker.

        Raises:
            Unavailable: the broker did not confirm all of them in time; some may be stored.
            RecordRefused: the broker does not take one of them; the others are stored.
        """

    async def deliver(self, records: Sequence[TopicRecord]) -> Mapping[int, LoomError]:
        """Send records as ``send`` does, and say of each one that is not stored why, by its position.

        An error that is told of a record is its own: one that is too large makes no other one fail.

        Raises:
            LoomError: nothing was sent.
        """

    async def close(self) -> None:
        """Wait for what is under way and let go of the broker."""


class TopicConsumer(Protocol):
    """Protocol of reading as a member of a group. Not safe to share between tasks."""

    async def poll(self, *, limit: int, timeout: float) -> Sequence[ReceivedRecord]:
        """Up to ``limit`` records; waits at most ``timeout`` seconds for the first one."""

    async def caught_up(self) -> bool:
        """Whether this member has its partitions and has been given every record that they hold now.

        ``False`` before the first poll and while the group is changing; a member without partitions is caught up.
        """

    async def commit(self, origins: Sequence[Origin]) -> None:
        """Record that everything up to and including these origins is done, for the whole group."""

    async def close(self) -> None:
        """Leave the group. What was not committed is read again by the next member."""


class Topics(Protocol):
    """Protocol of a broker."""

    async def ensure(self, topics: Mapping[str, int]) -> None:
        """Create the missing topics with that many partitions each."""

    def producer(self) -> TopicProducer:
        """A producer that waits for the broker's confirmation."""

    def consumer(self, topics: Sequence[str], *, group: str) -> TopicConsumer:
        """A consumer that starts behind the group's commits, or at the beginning where there are none."""

    async def counts(self, topics: Sequence[str]) -> Mapping[str, int]:
        """How many records each topic holds, over all partitions; 0 for a topic that does not exist."""

    async def close(self) -> None:
        """Let go of the broker."""
