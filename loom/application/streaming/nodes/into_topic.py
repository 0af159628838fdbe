"""``IntoTopic``: records are encoded and sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from loom.application.streaming.shapes import ANY_SHAPE, NOTHING, classes_of, type_name
from loom.domain.errors import StepFailed
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
    """A topic, how the key is found, and what is sent: ``accepts`` is empty where the flow's steps answer for it."""

    accepts: tuple[type, ...]
    gives: str
    before: str
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
        # What comes of a step that says what it returns has been looked at already.
        accepts=() if classes_of(spot.arrives.payload) else classes_of(node.payload),
        gives=type_name(node.payload),
        before=spot.before,
    )
    return Planned(stage, NOTHING)


class TopicSink:
    """Encodes and sends; returns when the broker holds the records."""

    def __init__(self, plan: TopicPlan, opening: Opening) -> None:
        self._plan = plan
        self._topic = plan.target
        self._key = plan.key
        self._encode = opening.codec.encode
        self._producer = opening.producer
        self._writing = Writing(plan, opening, self._put)

    async def write(self, moved: list[Moved]) -> None:
        await self._writing.write(moved)

    async def _put(self, items: list[Item]) -> Mapping[int, Exception]:
        try:
            records = [self._record(item.envelope) for item in items]
        except Exception:  # noqa: BLE001 - each record meets its own error below
            return await self._put_encodable(items)
        return await self._producer.deliver(records)

    async def _put_encodable(self, items: list[Item]) -> Mapping[int, Exception]:
        """Send what has a form on a topic. The others have an error that another attempt would not change."""
        records: dict[int, TopicRecord] = {}
        failed: dict[int, Exception] = {}
        for index, item in enumerate(items):
            try:
                records[index] = self._record(item.envelope)
            except Exception as error:  # noqa: BLE001 - its policy decides
                failed[index] = error
        positions = list(records)
        told = await self._producer.deliver(list(records.values()))
        return failed | {positions[index]: error for index, error in told.items()}

    def _record(self, envelope: Envelope[Any]) -> TopicRecord:
        if self._plan.accepts and not isinstance(envelope.payload, self._plan.accepts):
            found = type(envelope.payload).__name__
            raise StepFailed(f"{self._plan.before} gave {found}, not {self._plan.gives}")
        key = envelope.key if self._key is None else self._key(envelope)
        return TopicRecord(
            topic=self._topic,
            value=self._encode(envelope.payload),
            key=None if key is None else str(key),
            headers=envelope.headers,
        )


NODES.register(IntoTopic, NodeKind(takes=ANY_SHAPE, title=_title, plan=_plan))
SINKS.register(TopicPlan, TopicSink)
