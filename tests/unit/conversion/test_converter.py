"""The converter works on any attrs class, loom's or not, and refuses at once what it has no conversion for."""

import datetime as dt
import decimal
import enum
import threading
import typing
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final, Generic, NewType, TypeVar

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.application.conversion.converter import make_converter
from loom.domain.absent import ABSENT, Patch
from loom.domain.errors import InvalidInput
from loom.domain.model import FieldOptions, entity

T = TypeVar("T")
ProductId = NewType("ProductId", int)
converter = make_converter()


def faults(value: Any, target: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        converter.structure(value, target)
    return [(error.pointer, error.message) for error in caught.value.errors]


class Status(enum.StrEnum):
    OPEN = "open"
    SHUT = "shut"


class Mixed(enum.Enum):
    ONE = 1
    TEXT = "1"


def _upper(text: str) -> str:
    return text.upper()


@attrs.define
class Legacy:
    """A class as services have them: positional, private, derived and converted fields."""

    code: str = attrs.field(converter=_upper)
    _note: str = ""
    size: int = attrs.field(default=0, alias="length")
    total: int = attrs.field(init=False, default=7)


@attrs.frozen
class Span:
    """A class whose validators compare fields."""

    low: int
    high: int = attrs.field()
    unit: str = attrs.field(default="m", validator=attrs.validators.in_(("m", "km")))

    @high.validator
    def _above(self, _: Any, value: int) -> None:
        if value < self.low:
            raise ValueError("must not be below low")


@attrs.frozen
class Whole:
    """A class that refuses in its constructor."""

    parts: tuple[int, ...]

    def __attrs_post_init__(self) -> None:
        if sum(self.parts) > 10:
            raise ValueError("the parts exceed 10")


@attrs.frozen
class Box(Generic[T]):
    item: T
    more: list[T] = attrs.field(factory=list)


@attrs.frozen
class IntBox(Box[int]):
    label: str = ""


@attrs.frozen
class Cat:
    name: str
    lives: int = 9


@attrs.frozen
class Dog:
    name: str
    tricks: list[str] = attrs.field(factory=list)


@attrs.frozen
class Owner:
    pet: Cat | Dog
    ids: Mapping[ProductId, Status] = attrs.field(factory=dict)
    note: Annotated[str, "shown"] | None = None
    first: Final[int] = 0


@attrs.frozen
class Unknown:
    value: complex


def test_fields_are_called_as_the_attribute_is() -> None:
    """Private and aliased fields too; what the constructor does not take is neither read nor sent."""
    value = converter.structure({"code": "ab", "_note": "n", "size": 3}, Legacy)
    assert value == Legacy("AB", "n", 3)
    assert converter.unstructure(value) == {"code": "AB", "_note": "n", "size": 3}
    assert faults({"code": "a", "length": 1, "total": 1}, Legacy) == [
        ("/length", "unknown field"),
        ("/total", "unknown field"),
    ]


def test_a_validator_that_compares_fields_speaks_for_its_own_field() -> None:
    """All validators are heard; one that needs a faulty field is not."""
    assert faults({"low": 5, "high": 1, "unit": "mile"}, Span) == [
        ("/high", "must not be below low"),
        ("/unit", "'unit' must be in ('m', 'km') (got 'mile')"),
    ]
    assert faults({"high": 1, "unit": "mile"}, Span) == [
        ("/low", "is required"),
        ("/unit", "'unit' must be in ('m', 'km') (got 'mile')"),
    ]


def test_what_the_constructor_refuses_is_a_fault_of_the_whole() -> None:
    assert faults({"parts": [6, 7]}, Whole) == [("", "the parts exceed 10")]
    assert faults([{"parts": [6, 7]}], list[Whole]) == [("/0", "the parts exceed 10")]


def test_generic_classes_know_their_arguments() -> None:
    """Also through a subclass that fixes them, and nested."""
    assert converter.structure({"item": 1, "more": [2]}, Box[int]) == Box(1, [2])
    assert converter.structure({"item": {"item": "x"}}, Box[Box[str]]) == Box(Box("x"))
    assert faults({"item": "1", "more": ["2"]}, IntBox) == [
        ("/item", "must be a whole number, not text"),
        ("/more/0", "must be a whole number, not text"),
    ]


def test_a_union_of_classes_is_the_first_that_fits() -> None:
    assert converter.structure({"pet": {"name": "Tom", "lives": 7}}, Owner) == Owner(Cat("Tom", 7))
    assert converter.structure({"pet": {"name": "Rex", "tricks": []}}, Owner) == Owner(Dog("Rex"))
    assert faults({"pet": {"name": "Rex", "wings": 2}}, Owner) == [("/pet", "fits none of Cat or Dog")]
    assert faults({"pet": "Rex"}, Owner) == [("/pet", "must be Cat or Dog, not text")]


def test_a_union_with_one_class_tells_the_faults_of_that_class() -> None:
    assert faults({"name": 1}, Cat | None) == [("/name", "must be text, not a whole number")]
    assert faults({"name": 1}, Cat | str) == [("/name", "must be text, not a whole number")]


def test_a_union_prefers_the_exact_type() -> None:
    """``1`` stays an int where a float was declared first."""
    assert type(converter.structure(1, typing.cast("Any", float | int))) is int
    assert type(converter.structure(1.5, typing.cast("Any", float | int))) is float


def test_new_types_annotations_and_keys_are_seen_through() -> None:
    value = converter.structure({"pet": {"name": "a"}, "ids": {"7": "open"}, "note": "n", "first": 1}, Owner)
    assert value.ids == {7: Status.OPEN}
    assert converter.unstructure(value)["ids"] == {"7": "open"}
    assert faults({"pet": {"name": "a"}, "ids": {"x": "open", "8": "opn"}}, Owner) == [
        ("/ids/x", "must be a whole number, not text"),
        ("/ids/8", "must be one of 'open', 'shut'; did you mean 'open'?"),
    ]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (uuid.UUID, uuid.UUID(int=1)),
        (dt.datetime, dt.datetime(2013, 1, 5, tzinfo=dt.UTC)),
        (dt.date, dt.date(2013, 1, 5)),
        (dt.time, dt.time(8)),
        (dt.timedelta, dt.timedelta(seconds=1)),
        (decimal.Decimal, decimal.Decimal("1.50")),
        (bytes, b"x"),
        (Status, Status.OPEN),
        (frozenset[int], frozenset({1})),
        (Sequence[int], [1]),
    ],
)
def test_a_scalar_that_is_typed_already_passes(annotation: Any, value: Any) -> None:
    """Values from a database row or a Python caller need no detour through text."""
    assert converter.structure(value, annotation) == value


def test_enumerations_tell_a_number_from_its_text() -> None:
    assert converter.structure(1, Mixed) is Mixed.ONE
    assert converter.structure("1", Mixed) is Mixed.TEXT
    assert faults(True, Mixed) == [("", "must be one of 1, '1'")]


def test_instants_that_have_no_place_in_utc_are_refused() -> None:
    noon = dt.datetime(9999, 12, 31, 12, tzinfo=dt.timezone(dt.timedelta(hours=-13)))
    naive = noon.replace(tzinfo=None)
    assert faults(naive, dt.datetime) == [("", "must say its time zone, such as 2013-01-05T08:00:00Z")]
    assert faults(noon, dt.datetime) == [("", "is outside the years 1 to 9999")]
    assert faults("9999-12-31T12:00:00-13:00", dt.datetime) == [("", "is outside the years 1 to 9999")]


def test_options_of_a_class_that_cannot_be_edited_are_kept() -> None:
    """``entity(fields=...)`` limits a field as ``field(...)`` does."""

    @attrs.define
    class Theirs:
        id: int
        name: str
        price: decimal.Decimal | None = None

    limits = {"name": FieldOptions(max_length=3), "price": FieldOptions(precision=4, scale=1)}
    entity(table="theirs", fields=limits)(Theirs)
    assert faults({"id": 1, "name": "abcd", "price": "1.25"}, Theirs) == [
        ("/name", "must have at most 3 characters, has 4"),
        ("/price", "must have at most 1 digits after the point"),
    ]


def test_zeros_at_the_end_of_a_decimal_are_no_digits() -> None:
    assert converter.structure("1.500000000000", decimal.Decimal) == decimal.Decimal("1.5")
    assert converter.structure("0E+99", decimal.Decimal) == 0
    assert faults("1E+99", decimal.Decimal) == [("", "must have at most 29 digits before the point")]
    assert faults(decimal.Decimal("NaN"), decimal.Decimal) == [("", "must be a finite decimal")]


def test_a_patch_field_takes_absent_and_only_where_it_is_one() -> None:
    @attrs.frozen
    class Change:
        name: Patch[str | None] = ABSENT
        size: Patch[int] = ABSENT

    assert converter.structure({}, Change) == Change()
    assert converter.structure({"name": None}, Change) == Change(name=None)
    assert faults({"size": None}, Change) == [("/size", "must be a whole number, not null")]
    assert converter.unstructure(Change(size=0)) == {"size": 0}


def test_a_bare_list_holds_any_plain_value() -> None:
    assert converter.structure([1, {"a": None}], list) == [1, {"a": None}]


@pytest.mark.parametrize("target", [complex, list[complex], dict[str, complex], complex | None, Unknown])
def test_a_type_without_conversion_is_refused_when_it_is_first_seen(target: Any) -> None:
    """Nothing is coerced by accident."""
    with pytest.raises(TypeError, match="complex has no conversion; use an attrs class, a scalar, or containers"):
        converter.structure(1, target)


def test_the_field_without_conversion_is_named() -> None:
    with pytest.raises(TypeError, match=r"Unknown.value: complex has no conversion"):
        converter.structure({}, Unknown)
    with pytest.raises(TypeError, match=r"objects of complex have no conversion"):
        converter.unstructure({"a": [1j]})


@attrs.frozen
class Endless:
    inner: "list[Endless]"
    value: complex


def test_a_class_that_cannot_be_learned_is_refused_each_time() -> None:
    """Also one that holds itself: nothing of the first attempt stays."""
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Endless.value: complex has no conversion"):
            converter.structure({"inner": [], "value": 1}, Endless)


def test_many_threads_may_meet_a_class_for_the_first_time_at_once() -> None:
    fresh, start = make_converter(), threading.Barrier(8)
    tree = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}

    def read() -> object:
        start.wait()
        return fresh.structure(tree, Branch)

    with ThreadPoolExecutor(8) as pool:
        found = [future.result() for future in [pool.submit(read) for _ in range(8)]]
    assert found == [Branch("a", [Branch("b", [Branch("c")])])] * 8


@attrs.frozen
class Branch:
    name: str
    children: "list[Branch]" = attrs.field(factory=list)


def test_nul_is_refused_at_any_depth_of_any_value() -> None:
    assert faults({"a": [{"b": "x\0"}]}, dict[str, Any]) == [("/a", "must not contain the character NUL")]


@given(st.timedeltas())
def test_durations_keep_every_microsecond(value: dt.timedelta) -> None:
    assert converter.structure(converter.unstructure(value), dt.timedelta) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("P2W", dt.timedelta(weeks=2)),
        ("-PT1H30M", dt.timedelta(hours=-1, minutes=-30)),
        ("P1DT0.000001S", dt.timedelta(days=1, microseconds=1)),
        ("PT1.9999999S", dt.timedelta(seconds=2)),
        ("P0D", dt.timedelta(0)),
    ],
)
def test_durations_are_read_in_every_form_of_fixed_length(text: str, value: dt.timedelta) -> None:
    assert converter.structure(text, dt.timedelta) == value


@given(st.datetimes(timezones=st.timezones()))
def test_instants_come_out_as_the_same_instant_in_utc(value: dt.datetime) -> None:
    try:
        expected = value.astimezone(dt.UTC)
    except OverflowError:
        assert faults(value, dt.datetime) == [("", "is outside the years 1 to 9999")]
        return
    text = converter.unstructure(value)
    assert text.endswith("Z")
    assert converter.structure(text, dt.datetime) == expected
    assert converter.structure(value, dt.datetime).tzinfo is dt.UTC
