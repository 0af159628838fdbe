"""Job states in memory."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections import Counter
from collections.abc import Mapping

import attrs

from loom.ports.clock import Clock
from loom.ports.jobs import JobState, JobStatus


@attrs.define(eq=False)
class MemoryJobStatusStore:
    """The last state of each job."""

    clock: Clock
    _statuses: dict[uuid.UUID, JobStatus] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    async def put(self, status: JobStatus) -> None:
        dated = status if status.updated_at else attrs.evolve(status, updated_at=self.clock.now())
        with self._lock:
            known = self._statuses.get(status.id)
            if known is None or _time(known) <= _time(dated):
                self._statuses[status.id] = dated

    async def get(self, job_id: uuid.UUID) -> JobStatus | None:
        return self._statuses.get(job_id)

    async def counts(self, job: str) -> Mapping[JobState, int]:
        with self._lock:
            found = Counter(status.state for status in self._statuses.values() if status.job == job)
        return {state: found[state] for state in JobState}


def _time(status: JobStatus) -> dt.datetime:
    return status.updated_at or dt.datetime.min.replace(tzinfo=dt.UTC)
