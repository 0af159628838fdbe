"""What every ``Codec`` must do. Subclass ``CodecContract``, say how the codec is made, and run it.

    class TestMyCodec(CodecContract):
        def make_codec(self) -> Codec:
            return MyCodec()

Needs pytest and hypothesis.
"""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import enum
import math
import uuid
from collections.abc import Mapping
from typing import Any, Literal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.domain.absent import ABSENT, Patch
from loom.domain.errors import InvalidInput, MalformedInput
from loom.domain.frozen import frozen
from loom.domain.message import Envelope
from loom.domain.model import command, entity, field, key
from loom.domain.schema import INT_RANGE
from loom.ports.codec import Codec


class Colour(enum.Enum):
    """An enumeration of texts."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    """An enumeration of numbers."""

    LOW = 1
    HIGH = 2


class Sku(str):
    """A scalar of the domain's own."""

    __slots__ = ()


@frozen
class Point:
    """A class that knows nothing of loom; its fields are not in alphabetical order."""

    y: float
    x: float = 0.0


@entity(table="things")
class Thing:
    """One field of every kind."""

    id: int = key(autoincrement=True)
    sku: Sku = field(max_length=12)
    name: str | None = field(default=None, max_length=20)
    price: decimal.Decimal = field(precision=12, scale=2)
    at: dt.datetime
    day: dt.date | None = None
    clock: dt.time = dt.time(12)
    wait: dt.timedelta = dt.timedelta(0)
    blob: bytes = b""
    ref: uuid.UUID | None = None
    colour: Colour = Colour.RED
    level: Level | None = None
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    ratio: float = 0.0
    where: Point | None = None
    path: list[Point] = field(factory=list)
    pair: tuple[int, str] = (0, "")
    tags: frozenset[str] = frozenset()
    counts: dict[str, int] = field(factory=dict)
    by_number: dict[int, Point | None] = field(factory=dict)
    extra: dict[str, Any] = field(factory=dict)
    either: int | str = 0


@command
class Change:
    """What a PATCH sends."""

    note: Patch[str | None] = ABSENT
    at: Patch[dt.datetime] = ABSENT
    amount: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.define
class Tree:
    """A class that holds itself."""

    name: str
    children: list[Tree] = attrs.field(factory=list)


_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_ints = st.integers(*INT_RANGE)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_points = st.builds(Point, y=_floats, x=_floats)
_instants = st.datetimes(
    dt.datetime(2, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    dt.datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-5))]),
)
_plain = st.recursive(
    st.none() | st.booleans() | _ints | _floats | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
things = st.builds(
    Thing,
    id=_ints,
    sku=_text.map(Sku),
    name=st.none() | _text,
    price=st.decimals("-9999999999.99", "9999999999.99", places=2),
    at=_instants,
    day=st.none() | st.dates(),
    clock=st.times(),
    wait=st.timedeltas(),
    blob=st.binary(max_size=9),
    ref=st.none() | st.uuids(),
    colour=st.sampled_from(Colour),
    level=st.none() | st.sampled_from(Level),
    kind=st.sampled_from(["a", "b"]),
    flag=st.booleans(),
    ratio=_floats,
    where=st.none() | _points,
    path=st.lists(_points, max_size=3),
    pair=st.tuples(_ints, _text),
    tags=st.frozensets(_text, max_size=3),
    counts=st.dictionaries(_text, _ints, max_size=3),
    by_number=st.dictionaries(_ints, st.none() | _points, max_size=3),
    extra=st.dictionaries(_text, _plain, max_size=3),
    either=_ints | _text,
)
"""Random values of ``Thing``."""

# The same inherited test runs for each codec, which hypothesis otherwise takes for a mistake.
_law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
REQUIRED: Mapping[str, Any] = {"id": 1, "sku": "s", "price": "1.50", "at": "2013-01-05T08:00:00Z"}
"""The plain form of the smallest ``Thing``."""

REFUSED: Mapping[str, tuple[str, Any, str]] = {
    "text for an int": ("id", "1", "must be a whole number, not text"),
    "a fraction for an int": ("id", 1.9, "must be a whole number, not a number with a fraction"),
    "a bool for an int": ("id", True, "must be a whole number, not a boolean"),
    "an int beyond 64 bits": ("id", 2**63, "must be between -9223372036854775808 and 9223372036854775807"),
    "null where none is allowed": ("id", None, "must be a whole number, not null"),
    "an int for a bool": ("flag", 1, "must be true or false, not a whole number"),
    "text for a bool": ("flag", "true", "must be true or false, not text"),
    "a number for text": ("name", 5, "must be text, not a whole number"),
    "NUL in text": ("name", "a\0b", "must not contain the character NUL"),
    "text that is too long": ("name", "x" * 21, "must have at most 20 characters, has 21"),
    "a subclass of text that is too long": ("sku", "x" * 13, "must have at most 12 characters, has 13"),
    "text for a float": ("ratio", "1.5", "must be a number, not text"),
    "a bool for a float": ("ratio", True, "must be a number, not a boolean"),
    "a float for a decimal": (
        "price",
        1.5,
        "must be decimal text such as '12.50': a number with a fraction is not exact in JSON",
    ),
    "no decimal": ("price", "1_0", "must be decimal text such as '12.50'"),
    "NaN for a decimal": ("price", "NaN", "must be decimal text such as '12.50'"),
    "too many places": ("price", "1.505", "must have at most 2 digits after the point"),
    "too many digits": ("price", "10000000000", "must have at most 10 digits before the point"),
    "a naive instant": ("at", "2013-01-05T08:00:00", "must say its time zone, such as 2013-01-05T08:00:00Z"),
    "an instant as a number": ("at", 0, "must be an instant such as 2013-01-05T08:00:00Z, not a whole number"),
    "no day of the calendar": ("at", "2013-02-30T08:00:00Z", "is not a day and time of the calendar"),
    "an instant for a date": ("day", "2013-01-05T00:00:00Z", "must be a date such as 2013-01-05"),
    "a time with a zone": ("clock", "08:00:00Z", "must be a time of day such as 08:00:00"),
    "months in a duration": (
        "wait",
        "P1M",
        "must be a duration such as PT30S or P1DT2H (ISO 8601, without months and years)",
    ),
    "no base64": ("blob", "YQ", "must be base64 with padding (RFC 4648)"),
    "no UUID": ("ref", "abc", "must be a UUID such as 12345678-1234-5678-1234-567812345678"),
    "no member": ("colour", "blu", "must be one of 'red', 'blue'; did you mean 'blue'?"),
    "a bool for a member": ("level", True, "must be one of 1, 2"),
    "no literal": ("kind", "c", "must be one of 'a', 'b'"),
    "text for a list": ("path", "ab", "must be a list, not text"),
    "an object for a list": ("path", {}, "must be a list, not an object"),
    "a list for an object": ("counts", [], "must be an object, not a list"),
    "too few items": ("pair", [1], "must have exactly 2 items, has 1"),
    "none of a union": ("either", True, "must be a whole number or text, not a boolean"),
}
"""Name of the fault: field of ``Thing``, plain value, message."""


class CodecContract:
    """The contract of the ``Codec`` port: nothing is lost on the way, and nothing is guessed."""

    def make_codec(self) -> Codec:
        """Make the codec under test."""
        raise NotImplementedError

    @pytest.fixture
    def codec(self) -> Codec:
        return self.make_codec()

    @_law
    @given(things)
    def test_what_is_encoded_comes_back(self, thing: Thing) -> None:
        """Every kind survives, instants as the same instant in UTC."""
        codec = self.make_codec()
        back = codec.decode(codec.encode(thing), Thing)
        assert back == thing
        assert back.at.tzinfo is dt.UTC
        assert type(back.sku) is Sku
        assert type(back.pair) is tuple

    @_law
    @given(st.lists(things, max_size=3))
    def test_the_bytes_are_those_of_the_plain_form(self, values: list[Thing]) -> None:
        """``encode`` and ``unstructure`` agree, and so do ``decode`` and ``structure``."""
        codec = self.make_codec()
        assert codec.encode(values) == codec.encode(codec.unstructure(values))
        assert codec.structure(codec.unstructure(values), list[Thing]) == values

    @_law
    @given(st.builds(Change, note=st.just(ABSENT) | st.none() | _text, at=st.just(ABSENT) | _instants))
    def test_absent_stays_absent_and_null_stays_null(self, change: Change) -> None:
        """A field that is ``ABSENT`` is not sent; one that is ``None`` is sent as null."""
        codec = self.make_codec()
        data = codec.encode(change)
        sent = codec.decode(data, dict[str, Any])
        assert ("note" in sent, "at" in sent) == (change.note is not ABSENT, change.at is not ABSENT)
        assert codec.decode(data, Change) == change

    def test_fields_are_sent_in_the_order_of_declaration(self, codec: Codec) -> None:
        """The same value always gives the same bytes."""
        sent = codec.decode(codec.encode(Point(y=1.0, x=2.0)), dict[str, Any])
        assert list(sent) == ["y", "x"]

    def test_a_default_stands_in_for_a_field_that_is_not_sent(self, codec: Codec) -> None:
        """Only required fields must be sent."""
        thing = codec.decode(codec.encode(dict(REQUIRED)), Thing)
        assert thing == Thing(
            id=1, sku=Sku("s"), price=decimal.Decimal("1.50"), at=dt.datetime(2013, 1, 5, 8, tzinfo=dt.UTC)
        )

    def test_a_class_may_hold_itself(self, codec: Codec) -> None:
        """Trees are read and written to any depth."""
        tree = Tree("a", [Tree("b", [Tree("c")]), Tree("d")])
        assert codec.decode(codec.encode(tree), Tree) == tree
        with pytest.raises(InvalidInput, match="/children/0/name: is required"):
            codec.decode(codec.encode({"name": "a", "children": [{}]}), Tree)

    def test_a_generic_class_is_read_with_its_arguments(self, codec: Codec) -> None:
        """``Envelope[Point]`` holds a ``Point`` and not a dictionary."""
        envelope = Envelope(payload=Point(y=1.0), key="k", headers={"a": "b"})
        assert codec.decode(codec.encode(envelope), Envelope[Point]) == envelope

    @pytest.mark.parametrize("case", REFUSED)
    def test_nothing_is_guessed(self, codec: Codec, case: str) -> None:
        """A value of another type or form is refused, with its path and in plain words."""
        name, value, message = REFUSED[case]
        with pytest.raises(InvalidInput) as caught:
            codec.decode(codec.encode({**REQUIRED, name: value}), Thing)
        assert [(error.pointer, error.message) for error in caught.value.errors] == [(f"/{name}", message)]

    def test_all_faults_are_told_at_once(self, codec: Codec) -> None:
        """One answer is enough to correct the whole input."""
        plain = {
            "id": "1",
            "sku": "s",
            "price": "x",
            "path": [{"y": 1}, {"x": "2"}],
            "counts": {"a/b": 1.5},
            "colur": "red",
        }
        with pytest.raises(InvalidInput) as caught:
            codec.decode(codec.encode(plain), Thing)
        assert caught.value.subject == "Thing"
        assert {error.pointer: (error.code, error.message) for error in caught.value.errors} == {
            "/id": ("type", "must be a whole number, not text"),
            "/price": ("format", "must be decimal text such as '12.50'"),
            "/at": ("required", "is required"),
            "/path/1/x": ("type", "must be a number, not text"),
            "/path/1/y": ("required", "is required"),
            "/counts/a~1b": ("type", "must be a whole number, not a number with a fraction"),
            "/colur": ("unknown", "unknown field; did you mean 'colour'?"),
        }

    def test_the_text_of_an_attrs_validator_is_kept(self, codec: Codec) -> None:
        """What the class itself refuses has the field's path, beside the other faults."""
        with pytest.raises(InvalidInput) as caught:
            codec.decode(codec.encode({"amount": 0}), Change)
        assert [(error.pointer, error.message) for error in caught.value.errors] == [
            ("/amount", "'amount' must be >= 1: 0")
        ]
        with pytest.raises(InvalidInput, match=r"/note: must be text, not a whole number; /amount: 'amount' must be"):
            codec.decode(codec.encode({"amount": 0, "note": 1}), Change)

    def test_a_fault_of_the_whole_has_an_empty_path(self, codec: Codec) -> None:
        """There is no field to name where the input is of another shape."""
        with pytest.raises(InvalidInput, match=r"invalid Thing: \(whole\): must be an object, not a list"):
            codec.decode(codec.encode([1]), Thing)

    @pytest.mark.parametrize("data", [b"", b"\xff\xff\xff"])
    def test_bytes_that_are_not_of_the_encoding_are_malformed(self, codec: Codec, data: bytes) -> None:
        """Broken bytes are told apart from input that does not fit."""
        with pytest.raises(MalformedInput):
            codec.decode(data, Thing)

    def test_what_has_no_form_is_not_sent(self, codec: Codec) -> None:
        """A naive instant or NaN is a mistake of the program: an error names the field, and nothing is written."""
        thing = codec.decode(codec.encode(dict(REQUIRED)), Thing)
        for name, value, message in (
            ("at", thing.at.replace(tzinfo=None), r"Thing.at: must say its time zone"),
            ("ratio", math.nan, r"Thing.ratio: nan has no JSON form"),
            ("where", Point(y=math.inf), r"Thing.where: Point.y: inf has no JSON form"),
            ("extra", {"a": ABSENT}, r"Thing.extra: ABSENT has no JSON form outside a Patch field"),
        ):
            wrong = copy.copy(thing)
            setattr(wrong, name, value)
            with pytest.raises(ValueError, match=message):
                codec.encode(wrong)

    def test_scalars_and_containers_are_values_too(self, codec: Codec) -> None:
        """A target need not be a class."""
        assert codec.decode(codec.encode([1, 2]), list[int]) == [1, 2]
        assert codec.decode(codec.encode({"a": Point(y=1.0)}), dict[str, Point]) == {"a": Point(y=1.0)}
        assert codec.decode(codec.encode(None), type(None)) is None
        assert codec.decode(codec.encode("2013-01-05"), dt.date) == dt.date(2013, 1, 5)
