"""``IntoTopic``: records are encoded and sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from loom.application.streaming.failure import Policy
from loom.application.streaming.flow import Node
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import SinkPlan
from loom.application.streaming.predicates import compile_value
from loom.application.streaming.running.items import Item, Moved
from loom.application.streaming.running.operators import SINKS, Opening
from loom.application.streaming.running.writing import Writing
from loom.application.streaming.shapes import ANY_SHAPE, NOTHING
from loom.domain.expr import Expr
from loom.domain.frozen import frozen
from loom.domain.message import Envelope
from loom.ports.transport import TopicRecord


@frozen
class IntoTopic(Node):
    """Send records to a topic, with the headers that they carry. Ends the path.

    Args:
        name: the topic.
        payload: class of what is sent.
        key: expression over ``payload`` and ``msg`` whose value, as text, is the key; the record's own key without it.
        on_error: what to do with a record that cannot be sent.
    """

    name: str
    payload: type
    key: Expr | None = attrs.field(default=None, kw_only=True, eq=False)
    on_error: Policy | None = attrs.field(default=None, kw_only=True)


@frozen(kw_only=True)
class TopicPlan(SinkPlan):
    """A topic and how the key is found."""

    key: Callable[[Envelope[Any]], Any] | None


def _title(node: IntoTopic) -> str:
    return f"IntoTopic({node.name!r})"


def _plan(node: IntoTopic, spot: Spot) -> Planned:
    spot.expect(node.payload)
    spot.claim_topic(node.name)
    stage = TopicPlan(
        id=spot.id,
        title=spot.title,
        target=node.name,
        failure=spot.failure(node.on_error),
        key=None if node.key is None else compile_value(node.key, spot),
    )
    return Planned(stage, NOTHING)


class TopicSink:
    """Encodes and sends; returns when the broker holds the records."""

    def __init__(self, plan: TopicPlan, opening: Opening) -> None:
        self._topic = plan.target
        self._key = plan.key
        self._encode = opening.codec.encode
        self._producer = opening.producer
        self._writing = Writing(plan, opening, self._put)

    async def write(self, moved: list[Moved]) -> None:
        await self._writing.write(moved)

    async def _put(self, items: list[Item]) -> None:
        await self._producer.send([self._record(item.envelope) for item in items])

    def _record(self, envelope: Envelope[Any]) -> TopicRecord:
        key = envelope.key if self._key is None else self._key(envelope)
        return TopicRecord(
            topic=self._topic,
            value=self._encode(envelope.payload),
            key=None if key is None else str(key),
            headers=envelope.headers,
        )


NODES.register(IntoTopic, NodeKind(takes=ANY_SHAPE, title=_title, plan=_plan))
SINKS.register(TopicPlan, TopicSink)
