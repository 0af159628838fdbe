"""The plan of a job: everything that is decided before it is dispatched."""

from __future__ import annotations

from typing import Any

import attrs

from loom.application.jobs.declare import Delivery
from loom.application.jobs.retry import longest_delay
from loom.application.usecase.plan import UseCasePlan
from loom.domain.errors import Place


@attrs.frozen(eq=False, kw_only=True, repr=False)
class JobPlan:
    """A compiled job: what its class says, with what the deployment changed. ``timeout`` is never above
    ``max_duration``; durations are in seconds."""

    name: str
    use_case: UseCasePlan
    queue: str
    retries: int
    timeout: float
    countdown: float
    priority: int
    delivery: Delivery
    max_duration: float

    @property
    def command(self) -> type | None:
        """The class of its command; ``None`` where it takes none."""
        return self.use_case.command

    @property
    def result(self) -> Any:
        """The annotation of its result."""
        return self.use_case.result

    @property
    def place(self) -> Place:
        """Where the class stands."""
        return self.use_case.place

    @property
    def longest_wait(self) -> float:
        """How long a message of it may wait for its time: the countdown, or the longest pause before a retry."""
        return max(self.countdown, longest_delay(self.retries))
