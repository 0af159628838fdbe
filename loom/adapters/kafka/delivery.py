"""One batch of records on its way: who waits for it, and which of its records the broker did not take."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence

from confluent_kafka import KafkaError, Message

from loom.domain.errors import LoomError
from loom.ports.transport import TopicRecord, to_bytes

_REFUSED_TOGETHER = frozenset(
    {
        *(KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE),
        *(KafkaError.INVALID_RECORD, KafkaError._INVALID_DIFFERENT_RECORD),
    }
)


class Delivery:
    """Counts the confirmations of one batch; reports come from the polling thread.

    Attributes:
        done: there is a report, or a refusal, for every record.
        reports: what the broker said of those that it did not take.
        refused: what was not produced at all, by position.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, records: Sequence[TopicRecord]) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self.reports: list[tuple[KafkaError, Message]] = []
        self.refused: dict[int, LoomError] = {}
        self._records = records
        self._loop = loop
        self._left = len(records)
        self._lock = threading.Lock()

    def delivered(self, error: KafkaError | None, message: Message) -> None:
        """Take a delivery report."""
        if error is not None:
            self.reports.append((error, message))
        self._count_down(1)

    def refuse(self, positions: Sequence[int], error: LoomError) -> None:
        """Take note of records that were not produced."""
        self.refused.update(dict.fromkeys(positions, error))
        self._count_down(len(positions))

    def reported(self) -> Iterator[tuple[int, KafkaError]]:
        """The positions of the records that the broker did not take, and why.

        A report brings the record back, but not its position. Looking for it costs the records that arrive nothing;
        records that are equal in all that is compared may take each other's place.
        """
        waiting: dict[tuple[str, bytes | None, bytes | None], list[int]] = {}
        if self.reports:
            for index, record in reversed([*enumerate(self._records)]):
                if index not in self.refused:
                    key = None if record.key is None else to_bytes(record.key)
                    waiting.setdefault((record.topic, key, record.value), []).append(index)
        for error, message in self.reports:
            found = waiting[message.topic() or "", _bytes(message.key()), _bytes(message.value())]
            yield found.pop(), error

    def _count_down(self, count: int) -> None:
        with self._lock:
            self._left -= count
            finished = self._left == 0
        if finished:
            # The loop may have ended while its records were under way; then nobody waits for them.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


def judged_together(error: KafkaError) -> bool:
    """Whether a broker may refuse a record for the company that it came in: it takes or refuses whole requests."""
    return error.code() in _REFUSED_TOGETHER


def with_followers(records: Sequence[TopicRecord], positions: Iterable[int]) -> list[int]:
    """Positions, and those of later records with the same keys: sent again without them, an older record of a key
    would come to stand behind a newer one."""
    again = set(positions)
    keys = set()
    for index, record in enumerate(records):
        if index in again and record.key is not None:
            keys.add((record.topic, record.key))
        elif (record.topic, record.key) in keys:
            again.add(index)
    return sorted(again)


def _bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
