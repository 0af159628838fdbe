"""Values that no two rows may share, in bulk: by position, whatever their type, alone or together, for one tenant."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from loom.core import col, entity, field, index, key
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.contract.http_api import Api, serve
from tests.unit.rest.rest_shop import compiled


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@entity(table="unique_parts", indexes=[index("shop", "name", unique=True), index("id", "name", unique=True)])
class Part:
    id: int = key(autoincrement=True)
    shop: int
    name: str = field(max_length=10)
    code: bytes | None = field(default=None, max_length=10, unique=True)
    at: dt.datetime | None = field(default=None, unique=True)
    hour: dt.time | None = field(default=None, unique=True)
    lasts: dt.timedelta | None = field(default=None, unique=True)
    size: Size | None = field(default=None, unique=True)
    serial: uuid.UUID | None = field(default=None, unique=True)
    price: Decimal | None = field(default=None, precision=8, scale=2, unique=True)


class Parts(RestInterface[Part]):
    prefix = "/parts"
    auto = True
    scope = col("shop") == 1
    bulk = ("create",)


PLANS = compiled([Parts])


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Api]:
    async with serve(any_store, plans=PLANS, models=(Part,)) as served:
        yield served


async def taken(api: Api, items: list[dict[str, Any]]) -> list[str]:
    answer = await api.client.post("/parts/bulk", json=items)
    assert answer.status_code == 409, answer.text
    return [fault["pointer"] for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("name", "first", "same"),
    [
        ("code", "AAE=", "AAE="),
        ("at", "2020-01-01T00:00:00Z", "2020-01-01T02:00:00+02:00"),
        ("hour", "08:00:00", "08:00:00"),
        ("lasts", "PT60S", "PT1M"),
        ("size", 2, 2),
        ("serial", str(uuid.UUID(int=10)), str(uuid.UUID(int=10)).upper()),
        ("price", "1.5", "1.50"),
    ],
)
async def test_a_value_of_any_type_is_told_by_its_item(api: Api, name: str, first: Any, same: Any) -> None:
    items = [{"name": "a"}, {"name": "b", name: first}, {"name": "c", name: same}, {"name": "d"}]
    assert await taken(api, items) == [f"/2/{name}"]
    assert (await api.client.post("/parts/bulk", json=items[:2])).status_code == 201
    assert await taken(api, items[2:]) == [f"/0/{name}"]


async def test_what_a_scope_fills_in_is_equal_for_all_items(api: Api) -> None:
    assert (await api.client.post("/parts", json={"name": "a"})).status_code == 201
    assert await taken(api, [{"name": "b"}, {"name": "a"}]) == ["/1/name"]
    assert await taken(api, [{"name": "b"}, {"name": "c", "shop": 1}, {"name": "b", "shop": 1}]) == ["/2/name"]
