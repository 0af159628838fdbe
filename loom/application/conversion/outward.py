"""Unstructure hooks: typed values to dictionaries, lists and scalars that any JSON writer takes.

What is written follows from the value, never from an annotation: a subclass is written whole.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import enum
import math
import uuid
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, TypeAlias

from loom.application.conversion.classes import sent_names
from loom.application.conversion.faults import Faults
from loom.application.conversion.temporal import datetime_text, duration_text, time_text
from loom.domain.absent import ABSENT
from loom.domain.relations import NOT_LOADED

Unstructure: TypeAlias = Callable[[Any], Any]


def class_writer(cls: type, unstructure: Unstructure) -> Unstructure:
    """Objects of an attrs class, in declaration order, without the fields that are ``ABSENT`` or not loaded."""
    names = sent_names(cls)

    def write(value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in names:
            item = getattr(value, name)
            if item is ABSENT or item is NOT_LOADED:
                continue
            try:
                found[name] = unstructure(item)
            except ValueError as error:
                raise ValueError(f"{cls.__qualname__}.{name}: {error}") from error
        return found

    return write


def mapping_writer(_: type, unstructure: Unstructure) -> Unstructure:
    """Mappings; keys become text, as JSON has no others."""
    return lambda value: {key_text(key, unstructure): unstructure(item) for key, item in value.items()}


def list_writer(_: type, unstructure: Unstructure) -> Unstructure:
    """Lists and tuples."""
    return lambda value: [unstructure(item) for item in value]


def set_writer(_: type, unstructure: Unstructure) -> Unstructure:
    """Sets, sorted where they can be, so that equal sets give equal bytes."""
    return lambda value: in_order([unstructure(item) for item in value])


def in_order(items: Iterable[Any]) -> list[Any]:
    """The items sorted, or by their text where they do not compare."""
    found = list(items)
    try:
        return sorted(found)
    except TypeError:
        return sorted(found, key=repr)


def enum_writer(_: type, unstructure: Unstructure) -> Unstructure:
    """Members by value."""
    return lambda value: unstructure(value.value)


def key_text(key: Any, unstructure: Unstructure) -> str:
    """A key of a mapping as text.

    Raises:
        ValueError: the key is no scalar.
    """
    plain = unstructure(key)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, int) and not isinstance(plain, bool):
        return str(plain)
    raise ValueError(f"a mapping's key of type {type(key).__name__} has no text")


def refuse_absent(value: object) -> Any:
    """``ABSENT`` anywhere but in a field.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{value!r} has no JSON form outside a Patch field")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} has no JSON form")
    return float(value)


def _spoken(write: Unstructure) -> Unstructure:
    # The same checks as inwards, but here the fault is the program's own, not that of an input.
    def checked(value: Any) -> Any:
        try:
            return write(value)
        except Faults as error:
            raise ValueError(error.errors[0].message) from error

    return checked


SCALARS: tuple[tuple[type, Unstructure], ...] = (
    (type(None), lambda value: None),
    (int, int),
    (bool, lambda value: value),
    (float, _finite),
    (str, str.__str__),
    (bytes, lambda value: base64.b64encode(value).decode("ascii")),
    (decimal.Decimal, str),
    (uuid.UUID, str),
    (dt.date, dt.date.isoformat),
    (dt.datetime, _spoken(datetime_text)),
    (dt.time, _spoken(time_text)),
    (dt.timedelta, duration_text),
)
"""Writers of scalar classes and their subclasses."""

CONTAINERS: tuple[tuple[tuple[type, ...], Callable[[type, Unstructure], Unstructure]], ...] = (
    ((Mapping,), mapping_writer),
    ((Set,), set_writer),
    ((list, tuple), list_writer),
    ((enum.Enum,), enum_writer),
)
"""Makers of writers. A later line is asked first: an enumeration of texts is an enumeration."""
