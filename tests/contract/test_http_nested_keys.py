"""Rows below a parent whose key is not plain text: addresses are written as they are read."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import pytest

from loom.core import entity, field, key
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.contract.http_api import serve
from tests.unit.rest.rest_shop import compiled


class Hall(enum.Enum):
    SMALL = "s/1"


@entity(table="nk_shows")
class Show:
    at: dt.datetime = key()


@entity(table="nk_seats")
class Seat:
    id: int = key(autoincrement=True)
    show_at: dt.datetime = field(references="nk_shows.at")


@entity(table="nk_halls")
class Room:
    hall: Hall = key()


@entity(table="nk_chairs")
class Chair:
    id: int = key(autoincrement=True)
    hall: Hall = field(references="nk_halls.hall")


class Shows(RestInterface[Show]):
    prefix = "/shows"
    auto = True


class Seats(RestInterface[Seat]):
    prefix = "/shows/{show_at}/seats"
    auto = True
    parent = "show_at"


class Rooms(RestInterface[Room]):
    prefix = "/rooms"
    auto = True


class Chairs(RestInterface[Chair]):
    prefix = "/rooms/{hall}/chairs"
    auto = True
    parent = "hall"


PLANS = compiled([Shows, Seats, Rooms, Chairs])


@pytest.mark.parametrize(
    ("path", "row", "below"),
    [("/shows", {"at": "2026-01-02T20:30:00+01:00"}, "seats"), ("/rooms", {"hall": "s/1"}, "chairs")],
)
async def test_the_address_of_a_row_leads_to_it(
    any_store: Persistence, path: str, row: dict[str, Any], below: str
) -> None:
    async with serve(any_store, plans=PLANS, models=(Show, Seat, Room, Chair)) as api:
        above = (await api.client.post(path, json=row)).headers["location"]
        made = await api.client.post(f"{above}/{below}", json={})
        assert made.status_code == 201, made.text
        assert made.headers["location"] == f"{above}/{below}/1"
        assert (await api.client.get(made.headers["location"])).json() == made.json()
