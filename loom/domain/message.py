"""The envelope: a payload with the key, headers and origin that a topic gives it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Generic, TypeVar

import attrs

from loom.domain.frozen import frozen

P = TypeVar("P", covariant=True)


@frozen(kw_only=True)
class Origin:
    """Where a record was read: offsets count from 0 inside a partition."""

    topic: str
    partition: int
    offset: int


@frozen(kw_only=True)
class Envelope(Generic[P]):
    """A payload as a flow sees it. ``origin`` is ``None`` for records that no topic has held yet."""

    payload: P
    key: str | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    timestamp: dt.datetime | None = None
    origin: Origin | None = None


@frozen(kw_only=True)
class ErrorEnvelope:
    """A dead letter: everything needed to understand the failure and to send the record again.

    ``value`` and ``headers`` are the bytes and text that came in, unchanged; ``attempts`` counts from 1.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes
    headers: Mapping[str, str]
    code: str
    message: str
    step: str
    attempts: int
    failed_at: dt.datetime
