"""The JSON codec beside msgspec on the same classes, and beside cattrs as it comes."""

import datetime as dt
from collections.abc import Callable

import attrs
import cattrs.preconf.json
import msgspec

from benchmarks.kernel.micro import Timed, Timing, timed
from benchmarks.rest.data import Amount, Status, tickets
from loom.adapters.json.codec import JsonCodec

LOOM, MSGSPEC, CATTRS = "loom", "msgspec", "cattrs"


@attrs.define(kw_only=True)
class Ticket:
    title: str
    text: str
    status: Status
    priority: int
    hours: float | None
    billable: bool
    owner_id: int
    created_at: dt.datetime
    updated_at: dt.datetime


@attrs.define
class Page:
    items: list[Ticket]


def time_codecs(timing: Timing) -> dict[str, Timed]:
    """By direction and size."""
    found = [Ticket(**row) for row in tickets(Amount(tickets=50))]  # type: ignore[arg-type]
    # 50 tickets take fifty times as long as one.
    several = attrs.evolve(timing, repeats=max(1, timing.repeats // 50))
    return {
        "encode one ticket": timed(_encoders(found[0]), timing),
        "encode a page of 50": timed(_encoders(Page(found)), several),
        "decode one ticket": timed(_decoders(found[0]), timing),
        "decode a page of 50": timed(_decoders(Page(found)), several),
    }


def _encoders(value: object) -> dict[str, Callable[[], object]]:
    codec, encoder, converter = JsonCodec(), msgspec.json.Encoder(), cattrs.preconf.json.make_converter()
    return {
        LOOM: lambda: codec.encode(value),
        MSGSPEC: lambda: encoder.encode(value),
        CATTRS: lambda: converter.dumps(value),
    }


def _decoders(value: object) -> dict[str, Callable[[], object]]:
    target = type(value)
    codec, converter = JsonCodec(), cattrs.preconf.json.make_converter()
    decoder = msgspec.json.Decoder(target)
    data = codec.encode(value)
    plain = converter.dumps(value)
    return {
        LOOM: lambda: codec.decode(data, target),
        MSGSPEC: lambda: decoder.decode(data),
        CATTRS: lambda: converter.loads(plain, target),
    }
