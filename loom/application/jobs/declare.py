"""``Job``: a use case that runs in a queue."""

from __future__ import annotations

import enum
from typing import ClassVar, TypeVar

from loom.application.usecase.declaration import UseCase

R = TypeVar("R")


class Delivery(enum.StrEnum):
    """What a crash in the middle of a job does."""

    AT_LEAST_ONCE = "at_least_once"
    """It runs again; its transaction was rolled back, but what it did outside of that was done."""
    AT_MOST_ONCE = "at_most_once"
    """It does not run again and counts as failed. For work that must not happen twice and may be missed."""


class Job(UseCase[None, R]):
    """Base of jobs with the result ``R``. Declared and run as any use case; its command is its whole input.

        class NotifyOperations(Job[int]):
            queue = "mail"
            retries = 3

            async def execute(self, cmd: Notify = Input()) -> int: ...

        handle = await jobs.dispatch(NotifyOperations, Notify(...))

    A job that has finished does not run again, however often its message is delivered: the record of that is written
    in the job's own transaction. Durations are in seconds; a deployment may change all but the last two for each job.

    Attributes:
        queue: where it waits; a worker serves one queue or more.
        retries: further attempts after one that failed, at growing distances.
        timeout: how long one attempt may take; ``max_duration`` where nothing is said.
        countdown: how long it waits after the dispatch.
        priority: 0 to 9; of the jobs that wait in a queue the highest goes first.
        delivery: whether a crash runs it again; see ``Delivery``.
        max_duration: longer than this no attempt runs, whatever a deployment sets: what the broker's patience must
            exceed.
    """

    queue: ClassVar[str] = "default"
    retries: ClassVar[int] = 0
    timeout: ClassVar[float | None] = None
    countdown: ClassVar[float] = 0.0
    priority: ClassVar[int] = 0
    delivery: ClassVar[Delivery | str] = Delivery.AT_LEAST_ONCE
    max_duration: ClassVar[float] = 900.0
