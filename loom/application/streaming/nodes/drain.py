"""``Drain``: an explicit end, for records that nobody wants."""

from __future__ import annotations

from loom.application.streaming.failure import FailurePlan
from loom.application.streaming.flow import Node
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import SinkPlan
from loom.application.streaming.running.items import Moved, records
from loom.application.streaming.running.operators import SINKS, Opening
from loom.application.streaming.shapes import ANY_SHAPE, NOTHING
from loom.domain.frozen import frozen


@frozen
class Drain(Node):
    """End the path; what arrives counts as done."""


@frozen(kw_only=True)
class DrainPlan(SinkPlan):
    """A sink that keeps nothing."""


def _plan(node: Drain, spot: Spot) -> Planned:
    return Planned(DrainPlan(id=spot.id, title=spot.title, target="drain", failure=FailurePlan()), NOTHING)


class DrainSink:
    """Lets go of everything."""

    def __init__(self, plan: DrainPlan, opening: Opening) -> None:
        self._tally = opening.tally

    async def write(self, moved: list[Moved]) -> None:
        items = records(moved)
        for item in items:
            item.lineage.release()
        self._tally.written["drain"] += len(items)


NODES.register(Drain, NodeKind(takes=ANY_SHAPE, title=lambda node: "Drain", plan=_plan))
SINKS.register(DrainPlan, DrainSink)
