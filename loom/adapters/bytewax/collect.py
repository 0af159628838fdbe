"""``CollectBatch`` as stateful Bytewax logic: it wakes up when a batch is due."""

from __future__ import annotations

import datetime as dt

from bytewax.operators import StatefulBatchLogic

from loom.application.streaming.nodes.collect import Collector
from loom.application.streaming.plan import CollectPlan
from loom.application.streaming.running.items import Batch, Item

Given = tuple[list[Batch], bool]


class CollectLogic(StatefulBatchLogic[Item, Batch, None]):
    """Bytewax decides by the machine's clock when a batch is due, so that clock dates its records too."""

    def __init__(self, plan: CollectPlan) -> None:
        self._collector = Collector(plan)

    def on_batch(self, values: list[Item]) -> Given:
        return self._collector.add(values, dt.datetime.now(dt.UTC)), StatefulBatchLogic.RETAIN

    def on_notify(self) -> Given:
        return self._collector.close_if_due(dt.datetime.now(dt.UTC)), StatefulBatchLogic.RETAIN

    def on_eof(self) -> Given:
        return self._collector.close(), StatefulBatchLogic.RETAIN

    def notify_at(self) -> dt.datetime | None:
        return self._collector.due

    def snapshot(self) -> None:
        """Nothing to keep: records of a batch that was not closed are not committed, and are read again."""
