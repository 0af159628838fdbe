"""Dates, times and durations as text and back: RFC 3339, and ISO 8601 for durations. Instants are kept in UTC."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, TypeVar

from loom.application.conversion.faults import fault, mismatch

T = TypeVar("T")

_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME = r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
_DATE_ONLY = re.compile(_DATE)
_TIME_ONLY = re.compile(_TIME)
_DATETIME = re.compile(_DATE + "[Tt ]" + _TIME + r"(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?")
_DURATION = re.compile(
    r"([+-])?[Pp](?=[0-9Tt])(?:([0-9]{1,12})[Ww]|(?:([0-9]{1,12})[Dd])?"
    r"(?:[Tt](?=[0-9])(?:([0-9]{1,12})[Hh])?(?:([0-9]{1,12})[Mm])?(?:([0-9]{1,12})(?:\.([0-9]+))?[Ss])?)?)"
)
_NAIVE = "must say its time zone, such as 2013-01-05T08:00:00Z"


def to_date(value: Any, _: Any = None) -> dt.date:
    """``2013-01-05``."""
    if type(value) is dt.date:
        return value
    match = _match(_DATE_ONLY, value, "a date such as 2013-01-05")
    return _built(dt.date, "is not a day of the calendar", *(int(part) for part in match.groups()))


def to_time(value: Any, _: Any = None) -> dt.time:
    """``08:00:00``, with a fraction if need be; a time of day has no zone."""
    if type(value) is dt.time:
        if value.tzinfo is not None:
            raise fault("must be a time of day without a zone", "format")
        return value
    hour, minute, second, fraction = _match(_TIME_ONLY, value, "a time of day such as 08:00:00").groups()
    whole = _built(dt.time, "is not a time of the day", int(hour), int(minute), int(second))
    micros = _micros(fraction)
    if micros == 1_000_000:
        raise fault("must have at most 6 digits after the point", "range")
    return whole.replace(microsecond=micros)


def to_datetime(value: Any, _: Any = None) -> dt.datetime:
    """An instant (RFC 3339), in UTC. Digits after the sixth are rounded."""
    if isinstance(value, dt.datetime):
        return as_utc(value)
    match = _match(_DATETIME, value, "an instant such as 2013-01-05T08:00:00Z")
    year, month, day, hour, minute, second, fraction, zulu, sign, hours, minutes = match.groups()
    if zulu is None and sign is None:
        raise fault(_NAIVE, "format")
    zone = dt.UTC if zulu else _zone(sign, int(hours), int(minutes))
    numbers = (int(part) for part in (year, month, day, hour, minute, second))
    local = _built(dt.datetime, "is not a day and time of the calendar", *numbers)
    try:
        return (local.replace(tzinfo=zone) + dt.timedelta(microseconds=_micros(fraction))).astimezone(dt.UTC)
    except OverflowError:
        raise fault("is outside the years 1 to 9999", "range") from None


def as_utc(value: dt.datetime) -> dt.datetime:
    """The same instant in UTC."""
    if value.tzinfo is dt.UTC:
        return value
    if value.utcoffset() is None:
        raise fault(_NAIVE, "format")
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise fault("is outside the years 1 to 9999", "range") from None


def to_duration(value: Any, _: Any = None) -> dt.timedelta:
    """``P1DT2H30M``: days, hours, minutes, seconds, or weeks alone; months and years have no fixed length."""
    if isinstance(value, dt.timedelta):
        return value
    expected = "a duration such as PT30S or P1DT2H (ISO 8601, without months and years)"
    sign, weeks, days, hours, minutes, seconds, fraction = _match(_DURATION, value, expected).groups()
    try:
        span = dt.timedelta(
            weeks=int(weeks or 0),
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(seconds or 0),
            microseconds=_micros(fraction),
        )
    except OverflowError:
        raise fault("is longer than a duration can be", "range") from None
    return -span if sign == "-" else span


def datetime_text(value: dt.datetime) -> str:
    """RFC 3339 in UTC, ending in ``Z``."""
    return as_utc(value).replace(tzinfo=None).isoformat() + "Z"


def time_text(value: dt.time) -> str:
    """``08:00:00``."""
    if value.tzinfo is not None:
        raise fault("must be a time of day without a zone", "format")
    return value.isoformat()


def duration_text(value: dt.timedelta) -> str:
    """Days and seconds, ``P1DT3600.5S``: the shortest form that loses nothing."""
    sign = "-" if value < dt.timedelta(0) else ""
    span = abs(value)
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    days = f"{span.days}D" if span.days else ""
    seconds = f"T{span.seconds}{fraction}S" if span.seconds or fraction else ""
    return f"{sign}P{days}{seconds}" if days or seconds else "P0D"


def _match(pattern: re.Pattern[str], value: Any, expected: str) -> re.Match[str]:
    if type(value) is not str:
        raise mismatch(expected, value)
    match = pattern.fullmatch(value)
    if match is None:
        raise fault(f"must be {expected}", "format")
    return match


def _built(make: Callable[..., T], message: str, *numbers: int) -> T:
    try:
        return make(*numbers)
    except ValueError:
        raise fault(message, "range") from None


def _micros(fraction: str | None) -> int:
    if not fraction:
        return 0
    return int(fraction[:6].ljust(6, "0")) + (fraction[6:7] >= "5")


def _zone(sign: str, hours: int, minutes: int) -> dt.timezone:
    if hours > 23 or minutes > 59:
        raise fault("has a zone that is not between -23:59 and +23:59", "range")
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return dt.timezone(-offset if sign == "-" else offset)
