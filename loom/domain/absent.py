"""``Patch``: a value that tells "not sent" from "sent as null"."""

from __future__ import annotations

import enum
from typing import Final, Literal, TypeAlias, TypeVar

T = TypeVar("T")


class Absent(enum.Enum):
    """Type of the single value ``ABSENT``. An enum member, so that type checkers narrow on ``is``."""

    ABSENT = "absent"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT
"""The field was not sent. Differs from ``None``, which means that null was sent."""

Patch: TypeAlias = T | Absent
"""``Patch[int | None] = ABSENT``: the field may be left out, may be null, or may be a value."""


def present(value: T | Absent, default: T) -> T:
    """Return ``value``, or ``default`` where the field was not sent."""
    return default if isinstance(value, Absent) else value
