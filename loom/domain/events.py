"""Domain events and the records in which they wait for the relay."""

from __future__ import annotations

import datetime as dt
import enum
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar, dataclass_transform, overload

import attrs

from loom.domain.frozen import frozen
from loom.domain.model import field
from loom.domain.naming import snake_case

T = TypeVar("T")


@frozen(kw_only=True)
class EventOptions:
    """How an event is published. ``key`` names the field whose value orders the events; empty means unordered."""

    topic: str = ""
    key: str = ""


_EVENT = "__loom_event__"

ID_HEADER = "loom-id"
"""Header with the outbox record's id: receivers recognise a redelivery by it."""
TYPE_HEADER = "loom-type"
"""Header with the name of the payload's class."""


@overload
def event(cls: type[T], /) -> type[T]: ...
@overload
def event(*, topic: str = ..., key: str = ...) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, attrs.field))
def event(cls: type[T] | None = None, /, *, topic: str = "", key: str = "") -> object:
    """Declare a class to be a domain event: a frozen value named in the past tense.

    Args:
        topic: topic that the relay sends it to; the class name in snake case where nothing is said.
        key: field whose value is the message key; events of one key stay in order.
    """

    def declare(target: type[T]) -> type[T]:
        made = target if "__attrs_attrs__" in vars(target) else attrs.frozen(target, kw_only=True)
        setattr(made, _EVENT, EventOptions(topic=topic, key=key))
        return made

    return declare if cls is None else declare(cls)


def event_options(cls: type) -> EventOptions:
    """The options of an event class; the defaults for an attrs class that was never declared as one."""
    options = typing.cast("EventOptions", getattr(cls, _EVENT, EventOptions()))
    return options if options.topic else attrs.evolve(options, topic=snake_case(cls.__name__))


class OutboxKind(enum.StrEnum):
    """Where a record goes when it is relayed."""

    EVENT = "event"
    JOB = "job"


@frozen(kw_only=True)
class OutboxRecord:
    """One thing that must leave the system because a transaction committed.

    Attributes:
        id: unique; receivers recognise a redelivery by it.
        kind: event or job.
        destination: topic of an event, name of a job.
        type: name of the payload's class.
        key: records of one key leave in order; empty means no order.
        payload: the encoded payload.
        headers: correlation and tracing, as text.
        created_at: when it was written, UTC.
        position: order in which the store wrote it; 0 until it is stored.
        attempts: how often sending failed.
    """

    id: uuid.UUID
    kind: OutboxKind
    destination: str
    type: str
    key: str
    payload: bytes
    headers: Mapping[str, str]
    created_at: dt.datetime
    position: int = 0
    attempts: int = 0
