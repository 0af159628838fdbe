"""Strict structure hooks of numbers, text, bytes and identifiers: nothing is coerced that could change meaning."""

from __future__ import annotations

import base64
import binascii
import decimal
import math
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from loom.application.conversion.faults import fault, mismatch
from loom.domain.model import FieldOptions
from loom.domain.schema import INT_RANGE

Hook: TypeAlias = Callable[[Any, Any], Any]
"""Structures a value; the second argument is the wanted type, as cattrs passes it. Raises ``Faults``."""

_EXACT_FLOATS = 2**53
_DECIMAL = re.compile(r"[+-]?([0-9]+)(?:\.([0-9]+))?([eE][+-]?[0-9]{1,9})?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}")


def to_none(value: Any, _: Any = None) -> None:
    """``null`` only."""
    if value is not None:
        raise mismatch("null", value)


def to_bool(value: Any, _: Any = None) -> bool:
    """``true`` and ``false`` only."""
    if value is True or value is False:
        return bool(value)
    raise mismatch("true or false", value)


def to_int(value: Any, _: Any = None) -> int:
    """A whole number of 64 bits. ``340.0`` is one: JSON has a single number type, and writers differ."""
    value = _whole(value)
    if type(value) is not int:
        raise mismatch("a whole number", value)
    if not INT_RANGE[0] <= value <= INT_RANGE[1]:
        raise fault(f"must be between {INT_RANGE[0]} and {INT_RANGE[1]}", "range")
    return value


def to_float(value: Any, _: Any = None) -> float:
    """A finite number. A whole number counts: JSON writers leave ``.0`` out."""
    if type(value) is not float and type(value) is not int:
        raise mismatch("a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise fault("must be a finite number of 64 bits", "range")
    return number


def to_str(value: Any, _: Any = None) -> str:
    """Text without NUL, which PostgreSQL and C libraries cannot hold."""
    if type(value) is not str:
        raise mismatch("text", value)
    if "\0" in value:
        raise fault("must not contain the character NUL", "format")
    return value


def to_bytes(value: Any, _: Any = None) -> bytes:
    """Base64 (RFC 4648, section 4, with padding), or bytes as they are."""
    if type(value) is bytes:
        return value
    if type(value) is not str:
        raise mismatch("base64 text", value)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise fault("must be base64 with padding (RFC 4648)", "format") from None


def to_uuid(value: Any, _: Any = None) -> uuid.UUID:
    """The 36-character form (RFC 9562), or the same without hyphens."""
    if isinstance(value, uuid.UUID):
        return value
    if type(value) is not str:
        raise mismatch("UUID text", value)
    if _UUID.fullmatch(value) is None:
        raise fault("must be a UUID such as 12345678-1234-5678-1234-567812345678", "format")
    return uuid.UUID(value)


def decimal_hook(precision: int, scale: int) -> Hook:
    """A hook for decimals of at most ``precision`` digits, ``scale`` of them after the point."""

    def to_decimal(value: Any, _: Any = None) -> decimal.Decimal:
        if type(value) is not str:
            number = _decimal(value)
        elif (match := _DECIMAL.fullmatch(value)) is None:
            raise fault("must be decimal text such as '12.50'", "format")
        else:
            number = decimal.Decimal(value)
            whole, places, exponent = match.groups()
            # Nearly every number: the digits as they are written fit, and need not be counted one by one.
            if exponent is None and len(whole) <= precision - scale and len(places or "") <= scale:
                return number
        _check_digits(number, precision, scale)
        return number

    return to_decimal


def constrained(core: Any, options: FieldOptions, hook_of: Callable[[Any], Hook]) -> Hook | None:
    """The hook of a type whose declaration says more than the type does, or ``None`` where it does not."""
    if core is decimal.Decimal and (options.precision, options.scale) != (38, 9):
        return decimal_hook(options.precision, options.scale)
    if options.max_length is not None and isinstance(core, type) and issubclass(core, (str, bytes)):
        return _limited(hook_of(core), options.max_length, "characters" if issubclass(core, str) else "bytes")
    return None


def to_plain(value: Any, _: Any = None) -> Any:
    """Any JSON value, as it is. NUL is refused at every depth."""
    if type(value) is str:
        return to_str(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            to_plain(key)
            to_plain(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            to_plain(item)
    return value


def _whole(value: Any) -> Any:
    """The int of a float without a fraction, as far as floats hold every whole number; anything else as it is."""
    whole = type(value) is float and value.is_integer() and abs(value) <= _EXACT_FLOATS
    return int(value) if whole else value


def _decimal(value: Any) -> decimal.Decimal:
    value = _whole(value)
    if type(value) is float:
        raise fault("must be decimal text such as '12.50': a number with a fraction is not exact in JSON", "type")
    if type(value) is int:
        return decimal.Decimal(value)
    if isinstance(value, decimal.Decimal):
        if value.is_finite():
            return value
        raise fault("must be a finite decimal", "range")
    raise mismatch("decimal text", value)


def _check_digits(number: decimal.Decimal, precision: int, scale: int) -> None:
    _, digits, exponent = number.as_tuple()
    places = -int(exponent)
    # Trailing zeros say nothing that is lost when a store drops them.
    kept = len(digits)
    while places > scale and kept and digits[kept - 1] == 0:
        kept, places = kept - 1, places - 1
    if not number:
        return
    if places > scale:
        raise fault(f"must have at most {scale} digits after the point", "range")
    if number.adjusted() >= precision - scale:
        raise fault(f"must have at most {precision - scale} digits before the point", "range")


def _limited(inner: Hook, longest: int, unit: str) -> Hook:
    def limited(value: Any, _: Any = None) -> Any:
        found = inner(value, None)
        if len(found) > longest:
            raise fault(f"must have at most {longest} {unit}, has {len(found)}", "length")
        return found

    return limited
