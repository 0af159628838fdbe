"""Typed values from the text of paths and query strings, as strictly as from JSON.

Each logical kind that has one obvious text form registers its reader; a kind without one cannot be a parameter, and the
compiler says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from loom.application.conversion import scalars, temporal
from loom.application.conversion.containers import enum_hook, literal_hook
from loom.application.conversion.faults import fault, not_a_choice
from loom.domain.model import FieldOptions
from loom.domain.schema import INT_RANGE, Kind, LogicalType

Reader = Callable[[str], Any]
"""Takes the text and returns the value. Raises ``Faults`` of the conversion where the text does not fit."""

_INT = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST_INT: Final = len(str(INT_RANGE[0]))


def text_reader(logical: LogicalType) -> Reader | None:
    """The function that reads a value of the type from text, or ``None`` where the kind has no text form."""
    build = _BUILDERS.get(logical.kind)
    return None if build is None else build(logical)


def is_repeated(logical: LogicalType) -> bool:
    """Whether the parameter is given once for each item: ``?tag=a&tag=b``."""
    return logical.kind is Kind.ARRAY


def integer_between(low: int, high: int) -> Reader:
    """A reader of whole numbers of a narrower range."""

    def read(text: str) -> int:
        if not _INT.fullmatch(text):
            raise fault("must be a whole number", "type")
        # Python refuses to convert thousands of digits, with an error of its own.
        value = int(text) if len(text) <= _LONGEST_INT else high + 1
        if not low <= value <= high:
            raise fault(f"must be between {low} and {high}", "range")
        return value

    return read


def _string(logical: LogicalType) -> Reader:
    options = FieldOptions(max_length=logical.max_length)
    hook = scalars.constrained(str, options, lambda _: scalars.to_str) or scalars.to_str
    return lambda text: hook(text, None)


def _float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise fault("must be a number", "type")
    return scalars.to_float(float(text))


def _decimal(logical: LogicalType) -> Reader:
    hook = scalars.decimal_hook(logical.precision, logical.scale)
    return lambda text: hook(text, None)


def _bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise fault("must be true or false", "type")
    return text == "true"


def _enum(logical: LogicalType) -> Reader:
    raw = {str(value): value for value in logical.values}
    to_member = enum_hook(logical.python) if isinstance(logical.python, type) else literal_hook(logical.python)

    def read(text: str) -> Any:
        if text not in raw:
            raise not_a_choice(text, raw)
        return to_member(raw[text], None)

    return read


def _array(logical: LogicalType) -> Reader | None:
    return text_reader(logical.item) if logical.item is not None and not is_repeated(logical.item) else None


def _always(hook: Callable[..., Any]) -> Callable[[LogicalType], Reader]:
    return lambda logical: hook


_BUILDERS: Mapping[Kind, Callable[[LogicalType], Reader | None]] = {
    Kind.STRING: _string,
    Kind.INT: lambda logical: integer_between(*INT_RANGE),
    Kind.FLOAT: _always(_float),
    Kind.DECIMAL: _decimal,
    Kind.BOOL: _always(_bool),
    Kind.DATE: _always(temporal.to_date),
    Kind.TIME: _always(temporal.to_time),
    Kind.DATETIME: _always(temporal.to_datetime),
    Kind.DURATION: _always(temporal.to_duration),
    Kind.UUID: _always(scalars.to_uuid),
    Kind.ENUM: _enum,
    Kind.ARRAY: _array,
}
