"""The rows that every program is filled with: tickets, the people who own them, and notes on them."""

import datetime as dt
import enum

import attrs

POOL_SIZE = 10
"""Most connections of a program to its database."""
PAGE_SIZE = 50
NOTES_PER_TICKET = 3
_FIRST = dt.datetime(2013, 1, 1, 5, 0, 0, 125_000, tzinfo=dt.UTC)
_TEXT = "The gate agent asks whether the aircraft swap at {} is confirmed, crew and catering have to be told. "


class Status(enum.StrEnum):
    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


Row = dict[str, object]


@attrs.frozen(kw_only=True)
class Amount:
    """How many rows a program starts with."""

    people: int = 200
    tickets: int = 10_000


def people(amount: Amount) -> list[Row]:
    return [{"name": f"Person {number}", "email": f"person{number}@example.org"} for number in range(amount.people)]


def tickets(amount: Amount) -> list[Row]:
    return [ticket(number, amount) for number in range(amount.tickets)]


def ticket(number: int, amount: Amount) -> Row:
    moment = _FIRST + dt.timedelta(minutes=number)
    return {**ticket_fields(number, amount), "created_at": moment, "updated_at": moment}


def ticket_fields(number: int, amount: Amount) -> Row:
    """The fields that a client sends for a new ticket."""
    return {
        "title": f"Aircraft swap {number}",
        "text": _TEXT.format(f"gate {number % 40}") * 2,
        "status": list(Status)[number % len(Status)],
        "priority": number % 5,
        "hours": None if number % 3 == 0 else number % 16 / 4,
        "billable": number % 2 == 0,
        "owner_id": number % amount.people + 1,
    }


def notes(amount: Amount) -> list[Row]:
    return [
        {"ticket_id": ticket, "author": f"Person {number}", "text": _TEXT.format(f"stand {number}")}
        for ticket in range(1, amount.tickets + 1)
        for number in range(NOTES_PER_TICKET)
    ]
