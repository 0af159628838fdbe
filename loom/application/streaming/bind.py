"""Binding: the plan gets the ports that were chosen in the configuration, and the objects of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from loom.application.streaming.plan import FlowPlan
from loom.application.wiring import Resolver
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import Persistence
from loom.ports.transport import Topics

GIVE_UP_AFTER = 600.0


@attrs.frozen(kw_only=True, eq=False)
class StreamPorts:
    """What a flow may use while it runs. Only ``IntoTable`` needs ``persistence``."""

    topics: Topics
    codec: Codec
    clock: Clock
    persistence: Persistence | None = None


@attrs.frozen(kw_only=True, eq=False)
class BoundFlow:
    """A flow that an engine can run.

    Attributes:
        steps: one object for each step, by name.
        give_up_after: seconds for which a store or broker may be away before the flow stops.
    """

    plan: FlowPlan
    ports: StreamPorts
    steps: Mapping[str, Any]
    give_up_after: float = GIVE_UP_AFTER


def bind_flow(
    plan: FlowPlan, ports: StreamPorts, resolver: Resolver, *, give_up_after: float = GIVE_UP_AFTER
) -> BoundFlow:
    """Build the steps of a plan and join everything that an engine needs."""
    steps = {
        step.name: step.step(**{name: resolver.resolve(wanted) for name, wanted in step.dependencies})
        for step in plan.steps
    }
    return BoundFlow(plan=plan, ports=ports, steps=steps, give_up_after=give_up_after)
