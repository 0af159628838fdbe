"""Compiled writing: an object is copied into a msgspec struct, field by field, and C code writes the struct.

Only what msgspec would write otherwise than the converter is touched on the way: instants go to UTC, ``ABSENT`` is left
out, NaN is refused, sets are sorted.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs
import msgspec
from msgspec import UNSET

from loom.application.conversion.classes import sent_names
from loom.application.conversion.containers import split_union
from loom.application.conversion.converter import Converter
from loom.application.conversion.faults import Faults
from loom.application.conversion.outward import key_text, refuse_absent
from loom.application.conversion.temporal import as_utc
from loom.domain.absent import ABSENT
from loom.domain.model import field_options, hints_of
from loom.domain.relations import NOT_LOADED

Prepare: TypeAlias = Callable[[Any], Any]

# msgspec writes these as the converter does.
_SAME: frozenset[type] = frozenset(
    {bool, int, str, bytes, type(None), decimal.Decimal, uuid.UUID, dt.date, dt.timedelta},
)


class Writing:
    """Prepares values for the encoder. Each class is compiled once, at its first object."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._by_class: dict[type, Prepare] = dict.fromkeys(_SAME, _same)
        self._by_class |= dict.fromkeys((type(ABSENT), type(NOT_LOADED)), refuse_absent)
        self._by_class |= {float: _finite, dt.datetime: _instant, dict: self._mapping}
        self._by_class |= {list: self._items, tuple: self._items}

    def prepare(self, value: Any) -> Any:
        """A value that msgspec writes exactly as the converter would.

        Raises:
            ValueError: a value in it has no JSON form.
        """
        cls = type(value)
        found = self._by_class.get(cls)
        if found is None:
            found = self._by_class[cls] = self._class(cls) if attrs.has(cls) else self._converter.unstructure
        return found(value)

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        return {
            key if type(key) is str else key_text(key, self._converter.unstructure): self.prepare(item)
            for key, item in value.items()
        }

    def _items(self, value: Any) -> list[Any]:
        # Long lists are of few classes: the way through ``prepare`` would cost as much as what it finds.
        found = self._by_class
        return [found.get(type(item), self.prepare)(item) for item in value]

    def _class(self, cls: type) -> Prepare:
        hints, options = hints_of(cls), field_options(cls)
        names = sent_names(cls)
        struct = msgspec.defstruct(cls.__name__, [(name, Any) for name in names])
        scope: dict[str, Any] = {"struct": struct, "prepare": self.prepare, **_SCOPE}
        parts = []
        for name in names:
            form, absent = _form(hints.get(name, Any))
            left_out = "NOT_LOADED" if options[name].loaded else "ABSENT" if absent else ""
            part = form.format(f"o.{name}")
            parts.append(f"UNSET if o.{name} is {left_out} else {part}" if left_out else part)
        exec(f"def build(o): return struct({', '.join(parts)})", scope)
        return typing.cast("Prepare", scope["build"])


def _form(hint: Any) -> tuple[str, bool]:
    """What prepares a field, as source around it, and whether it may be ``ABSENT``."""
    members, _, patch = split_union(hint)
    if all(_is_same(member) for member in members):
        return "{}", patch
    if members == [float]:
        return "(v if (v := {}) is None or isfinite(v) else finite(v))", patch
    if members == [dt.datetime]:
        return "(v if (v := {}) is None or v.tzinfo is UTC else instant(v))", patch
    return "prepare({})", patch or hint in (Any, object)


def _is_same(annotation: Any) -> bool:
    if annotation in _SAME:
        return True
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {type(member.value) for member in annotation} <= {str, int}
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is list:
        return _is_same(arguments[0])
    return origin in (dict, Mapping) and arguments[0] is str and _is_same(arguments[1])


def _same(value: Any) -> Any:
    return value


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{value} has no JSON form")
    return value


def _instant(value: dt.datetime | None) -> dt.datetime | None:
    try:
        return None if value is None else as_utc(value)
    except Faults as error:
        raise ValueError(error.errors[0].message) from error


_SCOPE: Mapping[str, Any] = {
    "UNSET": UNSET,
    "ABSENT": ABSENT,
    "NOT_LOADED": NOT_LOADED,
    "UTC": dt.UTC,
    "isfinite": math.isfinite,
    "finite": _finite,
    "instant": _instant,
}
