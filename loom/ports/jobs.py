"""Protocols of job queues."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

import attrs


class JobState(enum.StrEnum):
    """The states of a job. A job moves forward only, except that a retry goes back to ``QUEUED``."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class JobMessage:
    """What travels to a worker: names and bytes, no objects. ``timeout`` and ``countdown`` are seconds."""

    id: uuid.UUID
    job: str
    payload: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict)
    queue: str = "default"
    attempt: int = 1
    retries: int = 0
    timeout: float | None = None
    countdown: float = 0.0
    priority: int = 0


@attrs.frozen(kw_only=True)
class JobStatus:
    """What is known of a job. ``result`` is encoded; ``error`` is the message of the last failure."""

    id: uuid.UUID
    job: str
    state: JobState
    attempts: int = 0
    result: bytes | None = None
    error: str | None = None
    updated_at: dt.datetime | None = None


JobRunner: TypeAlias = Callable[[JobMessage], Awaitable[JobStatus]]
"""Runs one job in this process and records its state. Given to the queue by the kernel; never raises for a job's own
failure: the status says it."""


class JobQueue(Protocol):
    """Protocol of a job queue: at-least-once delivery of messages to a runner."""

    async def enqueue(self, message: JobMessage) -> None:
        """Hand the message over; returns when the queue holds it.

        Raises:
            Unavailable: the broker did not take it.
        """

    async def start(self, runner: JobRunner) -> None:
        """Begin to deliver in this process where the adapter does so (inline); a broker adapter only connects."""

    async def drain(self) -> None:
        """Wait until everything that this process delivers has been run."""

    async def stop(self) -> None:
        """Stop delivering and let go of the broker."""


class JobStatusStore(Protocol):
    """Protocol of where job states are kept."""

    async def put(self, status: JobStatus) -> None:
        """Record a state; the newest wins."""

    async def get(self, job_id: uuid.UUID) -> JobStatus | None:
        """The last recorded state."""

    async def counts(self, job: str) -> Mapping[JobState, int]:
        """How many jobs of that name are in each state."""
