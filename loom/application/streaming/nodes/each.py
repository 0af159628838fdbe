"""``ForEach``: batches become single records again."""

from __future__ import annotations

from loom.application.streaming.flow import Node
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import TransformPlan
from loom.application.streaming.running.items import Batch, Item, records
from loom.application.streaming.running.operators import TRANSFORMS, Opening, Rest
from loom.application.streaming.shapes import BATCHES, Moving, Shape
from loom.domain.frozen import frozen


@frozen
class ForEach(Node):
    """Give the records of each batch one by one, in order."""


@frozen(kw_only=True)
class EachPlan(TransformPlan):
    """Batches in, their records out."""


def _plan(node: ForEach, spot: Spot) -> Planned:
    return Planned(EachPlan(id=spot.id, title=spot.title), Moving(Shape.RECORD, spot.arrives.payload))


class Each:
    """Takes batches apart."""

    def __init__(self, plan: EachPlan, opening: Opening) -> None:
        pass

    def start(self, moved: list[Batch], out: list[Item]) -> Rest | None:
        out += records(moved)
        return None


NODES.register(ForEach, NodeKind(takes=BATCHES, title=lambda node: "ForEach", plan=_plan))
TRANSFORMS.register(EachPlan, Each)
