"""The outbox in memory, and the relay's side of it."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Mapping, Sequence

import attrs

from loom.adapters.memory.faults import Faults
from loom.domain.events import OutboxRecord


@attrs.define(eq=False)
class _Waiting:
    record: OutboxRecord
    hidden_until: dt.datetime | None = None

    def is_hidden(self, now: dt.datetime) -> bool:
        return self.hidden_until is not None and self.hidden_until > now


@attrs.define(eq=False)
class OutboxLog:
    """Committed records: those that wait, in position order, and how many were sent."""

    waiting: dict[uuid.UUID, _Waiting] = attrs.field(factory=dict, init=False)
    sent: int = attrs.field(default=0, init=False)
    _last: int = attrs.field(default=0, init=False)

    def append(self, records: Sequence[OutboxRecord]) -> None:
        """Add the records of one transaction, which is being committed."""
        for record in records:
            self._last += 1
            self.waiting[record.id] = _Waiting(attrs.evolve(record, position=self._last))


@attrs.define(eq=False)
class MemoryRelayStore:
    """The relay's side of the in-memory outbox."""

    log: OutboxLog
    lock: threading.RLock
    faults: Faults

    async def claim(self, limit: int, *, now: dt.datetime, lease: dt.timedelta) -> Sequence[OutboxRecord]:
        self.faults.reach("claim")
        with self.lock:
            taken: list[_Waiting] = []
            blocked: set[str] = set()
            for waiting in self.log.waiting.values():
                if len(taken) == limit:
                    break
                key = waiting.record.key
                if waiting.is_hidden(now):
                    blocked.add(key)
                elif not key or key not in blocked:
                    taken.append(waiting)
            for waiting in taken:
                waiting.hidden_until = now + lease
            return tuple(waiting.record for waiting in taken)

    async def sent(self, ids: Sequence[uuid.UUID], *, now: dt.datetime) -> None:
        self.faults.reach("sent")
        with self.lock:
            for record_id in ids:
                if self.log.waiting.pop(record_id, None) is not None:
                    self.log.sent += 1

    async def failed(self, ids: Sequence[uuid.UUID], *, reason: str, retry_at: dt.datetime) -> None:
        with self.lock:
            for record_id in ids:
                waiting = self.log.waiting.get(record_id)
                if waiting is not None:
                    waiting.record = attrs.evolve(waiting.record, attempts=waiting.record.attempts + 1)
                    waiting.hidden_until = retry_at

    async def pending(self) -> int:
        with self.lock:
            return len(self.log.waiting)

    async def counts(self) -> Mapping[str, int]:
        with self.lock:
            return {"pending": len(self.log.waiting), "sent": self.log.sent}
