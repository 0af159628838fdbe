"""Telling operations: a use case that dispatches a job, and the job that does it."""

from loom.core import Input, Repository, UseCase, command, entity, field, key
from loom.rest import Job, JobService


@command
class MajorDelays:
    """So many major delays came in together; the worst of them is named."""

    reports: int
    worst_flight: str = field(max_length=24)
    worst_minutes: int


@entity(table="notifications")
class Notification:
    """What operations were told. ``reports`` counts the delays that one notification speaks of."""

    id: int = key(autoincrement=True)
    reports: int
    text: str = field(max_length=200)


class NotifyOperations(Job[int]):
    """Write one notification; returns its number. A pager or a mail would stand here."""

    queue = "operations"
    retries = 3
    timeout = 30.0

    def __init__(self, notifications: Repository[Notification]) -> None:
        self.notifications = notifications

    async def execute(self, cmd: MajorDelays = Input()) -> int:
        text = f"{cmd.reports} major delays, the worst {cmd.worst_flight} with {cmd.worst_minutes} minutes"
        made = await self.notifications.create({"reports": cmd.reports, "text": text})
        return made.id


class AlertOperations(UseCase[None, None]):
    """Dispatch the notification in the transaction of whoever found the delays."""

    def __init__(self, jobs: JobService) -> None:
        self.jobs = jobs

    async def execute(self, cmd: MajorDelays = Input()) -> None:
        await self.jobs.dispatch(NotifyOperations, cmd)
