"""Protocols of job queues."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

import attrs

from loom.domain.frozen import frozen


class JobState(enum.StrEnum):
    """The states of a job. A job moves forward only, except that a retry goes back to ``QUEUED``."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@frozen(kw_only=True)
class JobMessage:
    """What travels to a worker: names and bytes, no objects.

    Attributes:
        id: of the job, the same for all its attempts.
        job: its name.
        payload: the encoded command.
        headers: correlation and tracing, as text.
        queue: the queue in which it waits; workers choose which queues they serve.
        attempt: counts from 1.
        retries: how many further attempts it may have after the first.
        timeout: seconds that one attempt may take.
        countdown: seconds that it waits before it may run.
        priority: 0 to 9; of those that wait in a queue the highest goes first.
    """

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


@frozen(kw_only=True)
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
"""Runs one job in this process and records its state. Given to the queue by the kernel.

It never raises for a job's own failure: the status says it, and the runner itself enqueues the next attempt. Where it
raises, nothing is known to have been done (the store does not answer), and the queue delivers the message again later.
"""


class JobQueue(Protocol):
    """Protocol of a job queue: at-least-once delivery of messages to a runner.

    A message leaves the queue when the runner has returned its status, and not before.
    """

    async def enqueue(self, message: JobMessage) -> None:
        """Hand the message over; returns when the queue holds it.

        Raises:
            Unavailable: the broker did not take it.
        """

    def redelivers_after(self) -> float | None:
        """Seconds after which a message that is still being run, or waits for its time, is handed to another worker.

        ``None`` where that happens only when the worker is gone.
        """

    async def start(self, runner: JobRunner) -> None:
        """Begin to deliver in this process where the adapter does so (inline); a broker adapter only connects.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def drain(self) -> None:
        """Wait until everything that this process delivers has been run."""

    async def stop(self) -> None:
        """Wait for what runs, deliver nothing more, and let go of the broker."""


class JobStatusStore(Protocol):
    """Protocol of where job states are kept."""

    async def put(self, status: JobStatus) -> None:
        """Record a state; the newest wins."""

    async def get(self, job_id: uuid.UUID) -> JobStatus | None:
        """The last recorded state."""

    async def counts(self, job: str) -> Mapping[JobState, int]:
        """How many jobs of that name are in each state."""
