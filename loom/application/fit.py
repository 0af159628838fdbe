"""Whether a value fits its field: one answer for every store, found before a statement is sent.

A store of its own would cut, round, coerce or refuse, each in another way. Here a value that fits becomes the plain
value that all stores share: the exact scalar type, UTC for datetimes, the declared scale for decimals, an enum's
value, JSON text for what has no column of its own. A value that does not fit says why.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from loom.domain.schema import INT_RANGE, Kind, LogicalType

Fit: TypeAlias = Callable[[Any], Any]
"""Takes a value that is not null; gives its plain form, or raises ``ValueError`` with the reason."""

LONGEST = dt.timedelta(microseconds=INT_RANGE[1])
"""The longest duration that every store keeps, 64 bits of microseconds: about 292,000 years."""
_NUL = "\x00"


def fit_of(logical: LogicalType) -> Fit | None:
    """The check of one scalar or enum type; ``None`` for the kinds that are stored as JSON text."""
    make = _FITS.get(logical.kind)
    return make(logical) if make else None


def text_fault(text: str) -> str:
    """Why no database keeps a text; empty where every one does."""
    if _NUL in text:
        return "holds the character NUL, which databases do not keep"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds half of a surrogate pair, which is no character"
    return ""


def utc_of(value: dt.datetime) -> dt.datetime:
    """The same instant in UTC.

    Raises:
        ValueError: in UTC it lies before the year 1 or after the year 9999.
    """
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999 in UTC") from None


def _bool(logical: LogicalType) -> Fit:
    def fit(value: Any) -> Any:
        if value is True or value is False:
            return value
        raise _mismatch("true or false", value)

    return fit


def _int(logical: LogicalType) -> Fit:
    low, high = INT_RANGE

    def fit(value: Any) -> Any:
        if type(value) is not int:
            if not isinstance(value, int) or isinstance(value, bool):
                raise _mismatch("an integer", value)
            value = int(value)
        if low <= value <= high:
            return value
        raise ValueError(f"is outside {low} to {high}")

    return fit


def _float(logical: LogicalType) -> Fit:
    def fit(value: Any) -> Any:
        if type(value) is not float:
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise _mismatch("a number", value)
            try:
                value = float(value)
            except OverflowError:
                raise ValueError("is larger than any float") from None
        if not math.isfinite(value):
            raise ValueError("is not a finite number, and JSON has no form for it; store null instead")
        # Not every store keeps the sign of a zero.
        return value + 0.0

    return fit


def _decimal(logical: LogicalType) -> Fit:
    scale, precision = logical.scale, logical.precision
    unit, limit = Decimal(1).scaleb(-scale), Decimal(1).scaleb(precision - scale)

    def fit(value: Any) -> Any:
        if not isinstance(value, Decimal):
            if not isinstance(value, int) or isinstance(value, bool):
                raise _mismatch("a decimal", value)
            value = Decimal(value)
        if not value.is_finite():
            raise ValueError("is not a finite number")
        if value.copy_abs() >= limit:
            raise ValueError(f"has more than {precision - scale} digits before the point")
        try:
            exact = value.quantize(unit)
        except InvalidOperation:
            # The default context holds 28 digits.
            exact = _long_quantize(value, scale)
        if exact != value:
            raise ValueError(f"has more than {scale} digits after the point")
        return exact or exact.copy_abs()

    return fit


def _long_quantize(value: Decimal, scale: int) -> Decimal:
    sign, digits, exponent = value.as_tuple()
    shift = int(exponent) + scale
    if shift < 0 and any(digits[shift:]):
        raise ValueError(f"has more than {scale} digits after the point")
    shifted = digits + (0,) * shift if shift >= 0 else digits[:shift]
    return Decimal((sign, shifted, -scale))


def _string(logical: LogicalType) -> Fit:
    longest = logical.max_length

    def fit(value: Any) -> Any:
        if type(value) is not str:
            if not isinstance(value, str):
                raise _mismatch("text", value)
            value = str.__str__(value)
        if longest is not None and len(value) > longest:
            raise ValueError(f"is longer than {longest} characters")
        fault = text_fault(value)
        if fault:
            raise ValueError(fault)
        return value

    return fit


def _bytes(logical: LogicalType) -> Fit:
    longest = logical.max_length

    def fit(value: Any) -> Any:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise _mismatch("bytes", value)
        if longest is not None and len(value) > longest:
            raise ValueError(f"is longer than {longest} bytes")
        return bytes(value)

    return fit


def _date(logical: LogicalType) -> Fit:
    def fit(value: Any) -> dt.date:
        # A datetime is a date in Python; cutting its time off would lose it silently.
        if type(value) is dt.date:
            return value
        raise _mismatch("a date", value)

    return fit


def _time(logical: LogicalType) -> Fit:
    def fit(value: Any) -> dt.time:
        if not isinstance(value, dt.time):
            raise _mismatch("a time", value)
        if value.tzinfo is not None:
            raise ValueError("has a time zone; a time of day has none")
        return value

    return fit


def _datetime(logical: LogicalType) -> Fit:
    utc = dt.UTC

    def fit(value: Any) -> dt.datetime:
        if not isinstance(value, dt.datetime):
            raise _mismatch("a datetime", value)
        if value.tzinfo is utc:
            return value
        if value.utcoffset() is None:
            raise ValueError("has no time zone")
        return utc_of(value)

    return fit


def _duration(logical: LogicalType) -> Fit:
    def fit(value: Any) -> Any:
        if not isinstance(value, dt.timedelta):
            raise _mismatch("a duration", value)
        if abs(value) > LONGEST:
            raise ValueError(f"is longer than {LONGEST.days} days")
        return value

    return fit


def _uuid(logical: LogicalType) -> Fit:
    def fit(value: Any) -> Any:
        if isinstance(value, uuid.UUID):
            return value
        raise _mismatch("a UUID", value)

    return fit


def _enum(logical: LogicalType) -> Fit:
    options = {value: value for value in logical.values}

    def fit(value: Any) -> Any:
        plain = value.value if isinstance(value, enum.Enum) else value
        try:
            return options[plain]
        except (KeyError, TypeError):
            listed = ", ".join(repr(option) for option in options)
            raise ValueError(f"is none of {listed}") from None

    return fit


def _mismatch(wanted: str, value: object) -> ValueError:
    return ValueError(f"must be {wanted}, not {'null' if value is None else type(value).__name__}")


_FITS: Mapping[Kind, Callable[[LogicalType], Fit]] = {
    Kind.BOOL: _bool,
    Kind.INT: _int,
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.DATETIME: _datetime,
    Kind.DURATION: _duration,
    Kind.UUID: _uuid,
    Kind.ENUM: _enum,
}
