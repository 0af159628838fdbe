"""What happened, counted from the stores: never from a variable of the demo."""

from collections.abc import Mapping
from typing import Any

import attrs

from examples.flights.delays import DelayReport
from examples.flights.flow import LoggedDelay
from examples.flights.notify import Notification, NotifyOperations
from loom.config.kernel import Kernel
from loom.core import Query, UseCase, col
from loom.ports.jobs import JobState
from loom.ports.persistence import Persistence, Repository
from loom.ports.transport import Topics


@attrs.frozen(kw_only=True)
class Stored:
    """Rows of the tables that the reports went through. ``told`` sums the reports that notifications speak of."""

    reports: int
    minor: int
    major: int
    notifications: int
    told: int


class CountStored(UseCase[None, Stored]):
    """Count what the reports left in the store."""

    read_only = True

    def __init__(
        self,
        reports: Repository[DelayReport],
        log: Repository[LoggedDelay],
        notifications: Repository[Notification],
    ) -> None:
        self.reports = reports
        self.log = log
        self.notifications = notifications

    async def execute(self) -> Stored:
        told = [row.reports async for row in self.notifications.stream(Query(limit=None))]
        return Stored(
            reports=await self.reports.count(),
            minor=await self.log.count(col("severity") == "minor"),
            major=await self.log.count(col("severity") == "major"),
            notifications=len(told),
            told=sum(told),
        )


@attrs.frozen(kw_only=True)
class Summary:
    """Everything that was counted."""

    stored: Stored
    outbox: Mapping[str, int]
    topics: Mapping[str, int]
    jobs: Mapping[JobState, int]

    def lost(self) -> dict[str, int]:
        """What should be somewhere and is not; every value is 0 where nothing was lost."""
        stored = self.stored
        return {
            "reports without an event": stored.reports - self.topics["flights.delays"],
            "events not logged": self.topics["flights.delays"] - stored.minor - stored.major,
            "major delays nobody was told of": stored.major - stored.told,
            "jobs that did not succeed": sum(self.jobs.values()) - self.jobs.get(JobState.SUCCEEDED, 0),
            "records waiting in the outbox": self.outbox["pending"],
            "dead letters": self.topics["flights.delays.dead"],
        }


async def count(kernel: Kernel) -> Summary:
    """Ask every store what it holds."""
    persistence: Any = Persistence
    store: Persistence = kernel.resolve(persistence)
    topics: Any = Topics
    return Summary(
        stored=await kernel.invoke(CountStored),
        outbox=await store.relay_store().counts(),
        topics=await kernel.resolve(topics).counts(["flights.delays", "flights.delays.dead"]),
        jobs=await store.job_statuses().counts(NotifyOperations.__name__),
    )
