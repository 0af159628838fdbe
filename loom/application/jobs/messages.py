"""From a record of the outbox to the message that a queue takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loom.application.jobs.plan import JobPlan
from loom.domain.errors import NotFound
from loom.domain.events import OutboxRecord
from loom.ports.jobs import JobMessage


def messages_for(plans: Mapping[str, JobPlan]) -> Callable[[OutboxRecord], JobMessage]:
    """A function that completes a record with what the job's plan says. For the outbox's sender of jobs.

    It raises ``NotFound`` for a job that this deployment does not have; the record then waits in the outbox.
    """

    def message(record: OutboxRecord) -> JobMessage:
        plan = plans.get(record.destination)
        if plan is None:
            raise NotFound("job", record.destination)
        return JobMessage(
            id=record.id,
            job=plan.name,
            payload=record.payload,
            headers=record.headers,
            queue=plan.queue,
            retries=plan.retries,
            timeout=plan.timeout,
            countdown=plan.countdown,
            priority=plan.priority,
        )

    return message
