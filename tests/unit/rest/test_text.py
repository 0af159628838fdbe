"""Typed values from the text of paths and query strings."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.application.conversion.faults import Faults
from loom.application.rest.text import Reader, text_reader
from loom.domain.schema import INT_RANGE, logical_type


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


def reader(annotation: Any, **options: Any) -> Reader:
    found = text_reader(logical_type(annotation, **options))
    assert found is not None
    return found


def refusal(annotation: Any, text: str, **options: Any) -> str:
    with pytest.raises(Faults) as caught:
        reader(annotation, **options)(text)
    (error,) = caught.value.errors
    return error.message


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "", ""),
        (int, "-7", -7),
        (float, "1e3", 1000.0),
        (bool, "true", True),
        (Decimal, "1.50", Decimal("1.50")),
        (dt.date, "2013-01-05", dt.date(2013, 1, 5)),
        (dt.time, "08:00:00", dt.time(8)),
        (dt.timedelta, "PT1H", dt.timedelta(hours=1)),
        (dt.datetime, "2013-01-05T09:00:00+01:00", dt.datetime(2013, 1, 5, 8, tzinfo=dt.UTC)),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
        (Colour, "red", Colour.RED),
        (Level, "1", Level.LOW),
        (Literal["a", 2], "2", 2),
        (list[int], "3", 3),
    ],
)
def test_each_kind_has_one_text_form(annotation: Any, text: str, value: object) -> None:
    assert reader(annotation)(text) == value


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        (str, "a\0b", "must not contain the character NUL"),
        (int, "1.0", "must be a whole number"),
        (int, " 1", "must be a whole number"),
        (int, "1_000", "must be a whole number"),
        (int, "\u0661", "must be a whole number"),
        (int, "9223372036854775808", "must be between -9223372036854775808 and 9223372036854775807"),
        (float, "nan", "must be a number"),
        (float, "1e999", "must be a finite number of 64 bits"),
        (bool, "1", "must be true or false"),
        (dt.datetime, "2013-01-05T09:00:00", "must say its time zone, such as 2013-01-05T08:00:00Z"),
        (Colour, "rd", "must be one of 'red'; did you mean 'red'?"),
        (Level, "2", "must be one of '1'"),
    ],
)
def test_what_does_not_fit_is_told(annotation: Any, text: str, message: str) -> None:
    assert refusal(annotation, text) == message


def test_limits_of_the_column_hold_for_text() -> None:
    assert refusal(str, "abc", max_length=2) == "must have at most 2 characters, has 3"
    assert refusal(Decimal, "1.234", precision=5, scale=2) == "must have at most 2 digits after the point"


@pytest.mark.parametrize("annotation", [bytes, dict[str, int], Any, list[list[int]]])
def test_other_kinds_have_no_text_form(annotation: Any) -> None:
    assert text_reader(logical_type(annotation)) is None


@given(st.integers(*INT_RANGE))
def test_every_integer_of_64_bits_is_read(value: int) -> None:
    assert reader(int)(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_is_read(value: float) -> None:
    assert reader(float)(repr(value)) == value


@given(st.sampled_from([int, float, bool, Decimal, dt.date, dt.time, dt.datetime, dt.timedelta, uuid.UUID]), st.text())
def test_any_text_is_read_or_refused_and_nothing_else(annotation: Any, text: str) -> None:
    with contextlib.suppress(Faults):
        assert isinstance(reader(annotation)(text), annotation)
