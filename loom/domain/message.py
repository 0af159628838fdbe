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


ATTEMPTS_HEADER = "loom-attempts"
"""How often a record has failed, over all the times that it was sent again."""
FIRST_FAILED_HEADER = "loom-first-failed-at"
"""When it failed first, ISO 8601."""
FAILED_FLOW_HEADER = "loom-failed-flow"
"""The flow in which it failed; another flow counts from the beginning."""


@frozen(kw_only=True)
class ErrorEnvelope:
    """A dead letter: everything needed to understand the failure and to send the record again.

    Attributes:
        topic: where the record was read; with ``partition`` and ``offset`` it can be read there again.
        partition: see ``topic``.
        offset: see ``topic``.
        key: the key as text. Bytes that are no UTF-8 stand in it as ``\\xff``; ``binary_key`` then has them all.
        value: the bytes of the value as they came; empty where ``cut`` says so.
        headers: the headers as text, as the key; and ``loom-attempts``, ``loom-first-failed-at`` and
            ``loom-failed-flow``, which go with the record when it is sent again.
        code: of the error.
        message: class and text of the error.
        step: what failed: a step, a source or a sink.
        attempts: how often the record has failed in this flow, from 1; attempts before it was sent again count too.
        failed_at: when.
        binary_key: the exact bytes of a key that is no UTF-8.
        binary_headers: the exact bytes of headers that are no UTF-8, by name.
        cut: the letter was too large for its topic, so that value (and perhaps key and headers) were left out.
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
    binary_key: bytes | None = None
    binary_headers: Mapping[str, bytes] = attrs.field(factory=dict)
    cut: bool = False
