"""``CollectBatch``: single records become batches."""

from __future__ import annotations

import datetime as dt

import attrs

from loom.application.streaming.flow import Node
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import CollectPlan
from loom.application.streaming.running.items import Batch, Item
from loom.application.streaming.shapes import RECORDS, Moving, Shape
from loom.domain.frozen import frozen


@frozen
class CollectBatch(Node):
    """Collect records until there are ``max_records``, or ``timeout_ms`` milliseconds after the first of them.

    A flow that stops, or that runs until it is idle, closes the batch that is still filling.
    """

    max_records: int
    timeout_ms: int


def _plan(node: CollectBatch, spot: Spot) -> Planned:
    for name, value in (("max_records", node.max_records), ("timeout_ms", node.timeout_ms)):
        if value < 1:
            spot.issue("LOOM-STREAM-016", f"{name} of CollectBatch is {value}", "it is at least 1")
    stage = CollectPlan(
        id=spot.id,
        title=f"CollectBatch({node.max_records} records, {node.timeout_ms} ms)",
        max_records=node.max_records,
        timeout=node.timeout_ms / 1000,
    )
    return Planned(stage, Moving(Shape.BATCH, spot.arrives.payload))


@attrs.define(eq=False)
class Collector:
    """The batch that is filling. It knows no clock: the engine says what time it is."""

    plan: CollectPlan
    due: dt.datetime | None = None
    _items: list[Item] = attrs.field(factory=list, init=False)

    def add(self, items: list[Item], now: dt.datetime) -> list[Batch]:
        """Take records; returns the batches that are full now."""
        full: list[Batch] = []
        for item in items:
            if not self._items:
                self.due = now + dt.timedelta(seconds=self.plan.timeout)
            self._items.append(item)
            if len(self._items) >= self.plan.max_records:
                full += self.close()
        return full

    def close(self) -> list[Batch]:
        """The batch as it is, or nothing where it is empty."""
        items, self._items, self.due = self._items, [], None
        return [Batch(items)] if items else []

    def close_if_due(self, now: dt.datetime) -> list[Batch]:
        """The batch as it is where its time is over."""
        return self.close() if self.due is not None and now >= self.due else []


NODES.register(CollectBatch, NodeKind(takes=RECORDS, title=lambda node: "CollectBatch", plan=_plan))
