"""A client of the API: reports delays, and makes the mistakes that clients make."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any

import attrs

from examples.flights.flow import MAJOR
from loom.core import col
from loom.ports.etl import TableStore

REPORTS = 600
"""Delays that the demo reports; half of them are major."""
CLIENTS = 8
"""Connections that send at the same time."""

Flight = Mapping[str, Any]


@attrs.define
class Answers:
    """How many answers of each status came back."""

    by_status: dict[int, int] = attrs.field(factory=dict)

    def add(self, status: int) -> None:
        """Count one answer."""
        self.by_status[status] = self.by_status.get(status, 0) + 1


def late_flights(tables: TableStore) -> list[Flight]:
    """The flights whose delays are reported: half of them major, the later halves of both by id."""
    columns = ("id", "dep_delay")
    major = tables.rows("flights", columns=columns, where=col("dep_delay") >= MAJOR)
    minor = tables.rows("flights", columns=columns, where=col("dep_delay").between(15, MAJOR - 1))
    half = REPORTS // 2
    return [*_last(major, half), *_last(minor, half)]


async def report_delays(port: int, flights: Sequence[Flight], tell: Callable[[], object]) -> Answers:
    """Report every flight's delay over ``CLIENTS`` connections, then send four requests that must be refused.

    Args:
        port: where the API listens on loopback.
        flights: id and delay of each.
        tell: called after each answer.
    """
    answers = Answers()

    def send(bodies: Sequence[bytes]) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for body in bodies:
            connection.request("POST", "/delays", body, {"content-type": "application/json"})
            response = connection.getresponse()
            response.read()
            answers.add(response.status)
            tell()
        connection.close()

    bodies = [_body(flight["id"], flight["dep_delay"], "late aircraft") for flight in flights]
    await asyncio.gather(*(asyncio.to_thread(send, bodies[client::CLIENTS]) for client in range(CLIENTS)))
    await asyncio.to_thread(send, _mistakes(flights[0]["id"]))
    return answers


def _mistakes(flight: str) -> list[bytes]:
    """Bodies that are refused: broken JSON, an unknown flight, two broken rules, a misspelt field."""
    return [
        b'{"flight_id": ',
        _body("2013010105-XX-1", 30, "weather"),
        _body(flight, 0, "the dog ate it"),
        json.dumps({"flight_id": flight, "minuts": 30, "reason": "weather"}).encode(),
    ]


def _body(flight: str, minutes: int, reason: str) -> bytes:
    return json.dumps({"flight_id": flight, "minutes": minutes, "reason": reason}).encode()


def _last(rows: Any, count: int) -> list[Flight]:
    return sorted(rows, key=lambda row: row["id"])[-count:]
