"""The requests that are compared. Each kind makes its calls once, before anything is measured."""

import json
from collections.abc import Callable
from typing import Any

import attrs

from benchmarks.load import Call
from benchmarks.rest.asking import Ask
from benchmarks.rest.data import PAGE_SIZE, Amount, Status, ticket_fields
from benchmarks.rest.programs import LOOM

Calls = Callable[[Ask, Amount], list[Call]]
_CALLS = 1_000
_PAGES = 40
_STRIDE = 7
"""Neighbouring calls go to rows apart; the stride has no factor in common with the number of rows."""


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of request.

    Attributes:
        name: in the report.
        calls: makes them; asks the program where a call depends on its answers (cursors).
        writes: whether latencies are reported as well.
        masked: fields of the answer that differ between programs.
        by_hand: the calls to the hand-written programs, where they are others.
        alike: whether all programs do the same for an answer.
    """

    name: str
    calls: Calls
    writes: bool = False
    masked: tuple[str, ...] = ()
    by_hand: Calls | None = None
    alike: bool = True

    def calls_of(self, program: str, ask: Ask, amount: Amount) -> list[Call]:
        """The calls for one program."""
        make = self.calls if program == LOOM or self.by_hand is None else self.by_hand
        return make(ask, amount)


def _ping(ask: Ask, amount: Amount) -> list[Call]:
    return [Call("GET", "/ping")]


def _get(ask: Ask, amount: Amount) -> list[Call]:
    return [Call("GET", f"/tickets/{key}") for key in _keys(amount)]


def _profile(ask: Ask, amount: Amount) -> list[Call]:
    return [Call("GET", f"/tickets/{key}?profile=with_details") for key in _keys(amount)]


def _detail(ask: Ask, amount: Amount) -> list[Call]:
    return [Call("GET", f"/tickets/{key}/detail") for key in _keys(amount)]


def _list(ask: Ask, amount: Amount) -> list[Call]:
    """The first pages of a walk through all tickets."""
    calls = [Call("GET", f"/tickets?limit={PAGE_SIZE}")]
    while len(calls) < _PAGES:
        cursor: str | None = json.loads(ask(calls[-1]).body)["next_cursor"]
        if cursor is None:
            break
        calls.append(Call("GET", f"/tickets?limit={PAGE_SIZE}&cursor={cursor}"))
    return calls


def _update(ask: Ask, amount: Amount) -> list[Call]:
    statuses = list(Status)
    return [
        Call(
            "PATCH", f"/tickets/{key}", _json({"status": statuses[number % len(statuses)], "hours": number % 8 + 0.25})
        )
        for number, key in enumerate(_keys(amount))
    ]


def _create(ask: Ask, amount: Amount) -> list[Call]:
    return [Call("POST", "/tickets", _json(ticket_fields(number, amount))) for number in range(_CALLS)]


def _announced(ask: Ask, amount: Amount) -> list[Call]:
    return [attrs.evolve(call, path="/tickets/announced") for call in _create(ask, amount)]


def _keys(amount: Amount) -> list[int]:
    return [number * _STRIDE % amount.tickets + 1 for number in range(min(_CALLS, amount.tickets))]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


KINDS = (
    Kind(name="ping (no database)", calls=_ping),
    Kind(name="get by id", calls=_get),
    Kind(name="get with owner and notes", calls=_profile, by_hand=_detail),
    Kind(name="list of 50, cursor", calls=_list, masked=("next_cursor",)),
    Kind(name="update (PATCH)", calls=_update, writes=True, masked=("updated_at",)),
    Kind(name="create (POST)", calls=_create, writes=True, masked=("created_at", "updated_at")),
    Kind(
        name="create with an event (loom alone; the others without)",
        calls=_announced,
        writes=True,
        masked=("created_at", "updated_at"),
        by_hand=_create,
        alike=False,
    ),
)
