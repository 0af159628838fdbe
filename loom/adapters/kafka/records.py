"""Records to and from Kafka's messages.

Kafka keeps keys and header values as bytes. Text is UTF-8; bytes of other senders that are not survive a round trip by
surrogate escapes. A message without a value (a tombstone) is read as an empty one. Of headers with the same name the
last one counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TypeAlias, cast

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from loom.domain.message import Origin
from loom.ports.transport import ReceivedRecord, TopicRecord, to_bytes, to_text

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
Headers: TypeAlias = list[tuple[str, str | bytes | None]]


def to_headers(headers: Mapping[str, str]) -> Headers:
    """Headers as the client takes them."""
    return [(name, to_bytes(value)) for name, value in headers.items()]


def to_timestamp(moment: dt.datetime | None) -> int:
    """Milliseconds since the epoch; 0 lets the client use its clock."""
    return 0 if moment is None else (moment - _EPOCH) // _MILLISECOND


def received(message: Message) -> ReceivedRecord:
    """The record of a message without an error."""
    topic, partition, offset, key = message.topic(), message.partition(), message.offset(), message.key()
    # A message that was read always says where; only ones made by hand do not.
    assert topic is not None
    assert partition is not None
    assert offset is not None
    kind, milliseconds = message.timestamp()
    record = TopicRecord(
        topic=topic,
        value=message.value() or b"",
        key=None if key is None else _to_text(key),
        headers={name: _to_text(value) for name, value in cast("Headers", message.headers() or [])},
        timestamp=None if kind == TIMESTAMP_NOT_AVAILABLE else _EPOCH + milliseconds * _MILLISECOND,
    )
    return ReceivedRecord(record=record, origin=Origin(topic=topic, partition=partition, offset=offset))


def _to_text(data: str | bytes | None) -> str:
    return to_text(data) if isinstance(data, bytes) else data or ""
