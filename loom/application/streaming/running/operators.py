"""What plans become when a flow runs. Each kind of stage registers how its plan is opened."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeAlias

import attrs

from loom.application.compile import Kinds
from loom.application.streaming.plan import StepPlan
from loom.application.streaming.running.guard import Guard
from loom.application.streaming.running.items import Moved
from loom.application.streaming.running.tally import Tally
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import Persistence
from loom.ports.transport import TopicProducer

Rest: TypeAlias = Coroutine[Any, Any, None]
"""Work that has to wait for something; the engine awaits it in its event loop."""


class Transform(Protocol):
    """Protocol of items in, items out."""

    def start(self, moved: list[Any], out: list[Any]) -> Rest | None:
        """Put the results into ``out``, in order. What would have to wait is returned, and completes ``out`` later."""


class Branch(Protocol):
    """Protocol of items to several paths."""

    def start(self, moved: list[Any], outs: list[list[Any]]) -> Rest | None:
        """As ``Transform.start``, with one list for each path."""


class Sink(Protocol):
    """Protocol of items in, nothing out."""

    async def write(self, moved: list[Moved]) -> None:
        """Write them, and release what is durable."""


@attrs.frozen(kw_only=True, eq=False)
class Opening:
    """What the operators of one run may use. ``steps`` holds the bound objects of steps by name."""

    guard: Guard
    tally: Tally
    codec: Codec
    clock: Clock
    producer: TopicProducer
    persistence: Persistence | None
    steps: Mapping[str, Any]

    def process_of(self, plan: StepPlan) -> Callable[[Any], Any]:
        """The bound ``process`` of a step."""
        process: Callable[[Any], Any] = self.steps[plan.name].process
        return process


TRANSFORMS: Kinds[Callable[[Any, Opening], Transform]] = Kinds("transform")
BRANCHES: Kinds[Callable[[Any, Opening], Branch]] = Kinds("branch")
SINKS: Kinds[Callable[[Any, Opening], Sink]] = Kinds("sink")
