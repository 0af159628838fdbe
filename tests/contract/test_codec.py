"""JSON keeps the contract of codecs, by the compiled paths and by the plain converter, and the two never differ."""

import contextlib
import datetime as dt
import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.adapters.json.codec import JsonCodec
from loom.domain.errors import InvalidInput, LoomError, MalformedInput
from loom.testing.contracts.codec import REFUSED, REQUIRED, CodecContract, Thing, things


class TestCompiledJson(CodecContract):
    def make_codec(self) -> JsonCodec:
        return JsonCodec()


class TestPlainJson(CodecContract):
    def make_codec(self) -> JsonCodec:
        return JsonCodec(compiled=False)


FAST, SLOW = JsonCodec(), JsonCodec(compiled=False)

# Forms at the border between valid and not, where two parsers like to disagree.
BORDERLINE: list[Any] = [
    *(value for _, value, _ in REFUSED.values()),
    *["2013-01-05 08:00:00Z", "2013-01-05t08:00:00.1234565z", "2013-01-05T08:00:00+0100", "2013-01-05T08:00:00+01"],
    *["2013-01-05T23:59:60Z", "2013-01-05T24:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59.9999999Z"],
    *["2013-01-05T08:00:00.Z", "2013-01-05T08:00:00-00:00", "2013-01-05T08:00:00+24:00", "0000-01-01", "20130105"],
    *["P1W", "P1DT", "PT", "PT0.5H", "-PT1S", "+P1D", "P-1D", "pt1s", "P0.5D", "PT1.9999999S", "P999999999999D"],
    *["08:00", "24:00:00", "23:59:59.9999999", "08:00:00.1234567"],
    *["YR==", "YQ==YQ==", "YW-_", "Y Q==", "YQ=", "=", "é"],
    *[uuid.UUID(int=7).hex, str(uuid.UUID(int=7)).upper(), "{00000000-0000-0000-0000-000000000007}"],
    *["00000000-00000000-0000-000000000007", " 1", "1e5", "1E400", "-0", "+1.5", ".5", "1.", "\uff11", "Infinity"],
    *[1.0, -0.0, 0, -1, 2**63 - 1, -(2**63), 2**64, 10**400, 9007199254740993, "", "\ud800", "\0", [], {}, [[]], None],
]
_odd = st.sampled_from(BORDERLINE) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_names = st.sampled_from([*Thing.__annotations__, "unknown"])


def outcome(codec: JsonCodec, data: bytes, target: Any) -> object:
    try:
        return codec.decode(data, target)
    except InvalidInput as error:
        return error.errors
    except MalformedInput as error:
        return str(error)


@settings(max_examples=600, deadline=None)
@given(
    st.dictionaries(_names, _odd | st.lists(_odd, max_size=2) | st.dictionaries(st.text(max_size=3), _odd, max_size=2))
)
def test_both_readers_agree_on_any_input(changes: dict[str, Any]) -> None:
    """The compiled reader gives the same value as the converter, or the same faults."""
    data = json.dumps({**REQUIRED, **changes}).encode()
    assert repr(outcome(FAST, data, Thing)) == repr(outcome(SLOW, data, Thing))


@pytest.mark.parametrize("name", Thing.__annotations__)
def test_both_readers_agree_on_every_borderline_value_of_every_field(name: str) -> None:
    """Every form that two parsers like to disagree on, in every kind of field."""
    for value in BORDERLINE:
        data = json.dumps({**REQUIRED, name: value}).encode()
        assert repr(outcome(FAST, data, Thing)) == repr(outcome(SLOW, data, Thing)), value


@settings(max_examples=200, deadline=None)
@given(st.lists(things, max_size=3))
def test_both_writers_give_the_same_bytes(values: list[Thing]) -> None:
    """A reader cannot tell which of the two wrote."""
    assert FAST.encode(values) == SLOW.encode(values)


@settings(max_examples=200, deadline=None)
@given(things, st.data())
def test_broken_json_is_an_error_of_the_tree_and_nothing_else(thing: Thing, data: st.DataObject) -> None:
    """Whatever bytes come in, what comes out is a value, ``MalformedInput`` or ``InvalidInput``."""
    text = bytearray(FAST.encode(thing))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=3))
    for codec in (FAST, SLOW):
        with contextlib.suppress(LoomError):
            codec.decode(bytes(text), Thing)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a":1,}', r"not JSON: JSON is malformed: trailing comma in object \(byte 7\)"),
        (b"1 2", r"not JSON: JSON is malformed: trailing characters \(byte 3\)"),
        (b"[" * 100_000, "JSON is nested too deeply"),
        (b'{"a":' + b"[" * 128 + b"]" * 128 + b"}", "JSON is nested deeper than 128 levels"),
        (b'[{"a":' * 70 + b"1" + b"}]" * 70, "JSON is nested deeper than 128 levels"),
        (b"[" * 200 + b"]" * 200 + b'"' + b'\\"' * 250_000, "JSON is nested deeper than 128 levels"),
        (b"1" * 5_000, "JSON cannot be read: Integer value out of range"),
        (b'"\xff"', "not JSON: 'utf-8' codec can't decode byte 0xff in position 0"),
    ],
)
def test_malformed_json_says_what_is_wrong(data: bytes, message: str) -> None:
    """The text names the place in the bytes and never repeats them."""
    for codec in (FAST, SLOW):
        with pytest.raises(MalformedInput, match=message):
            codec.decode(data, dict[str, Any])


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' + b"[" * 127 + b"]" * 127 + b"}",
        b'{"a":["' + b"[" * 500 + b'"]}',
        b'{"a":["' + b'\\"[' * 250_000 + b'"]}',
        b'{"a":[' + b'"[{\\"",' * 500 + b'"\\\\"]}',
        b'{"a":[' + b"[]," * 5_000 + b"{}]}",
    ],
    ids=["just so deep", "brackets in text", "many quotes in text", "escapes", "wide"],
)
def test_what_only_looks_deep_is_read_and_written(data: bytes) -> None:
    for codec in (FAST, SLOW):
        found = codec.decode(data, dict[str, Any])
        assert found == json.loads(data)
        assert json.loads(codec.encode(found)) == found


def test_the_text_is_as_documented() -> None:
    """Decimals, instants, durations and bytes have one form each."""
    thing = FAST.structure({**REQUIRED, "at": "2013-01-05T09:00:00.5+01:00", "wait": "P1DT1H", "blob": "YQ=="}, Thing)
    sent = json.loads(FAST.encode(thing))
    assert [sent[name] for name in ("price", "at", "wait", "blob")] == [
        "1.50",
        "2013-01-05T08:00:00.500000Z",
        "P1DT3600S",
        "YQ==",
    ]
    assert FAST.encode({dt.date(2013, 1, 5): 1}) == b'{"2013-01-05":1}'
