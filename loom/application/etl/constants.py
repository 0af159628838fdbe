"""Constants as a lake holds them, in every engine."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from typing import Any


def plain(value: Any) -> Any:
    """A constant in the form in which the lake holds its kind."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value // dt.timedelta(microseconds=1)
    return value
