"""Filters, sorts and pages over HTTP and over every store: any question has the answer that plain Python gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.http_api import STORES, Api, make_store, serve

ROWS: list[dict[str, Any]] = [
    {"sku": "A-1", "name": "apple", "price": "1.20", "stock": 5, "released": "2013-01-05", "weight": 0.1},
    {"sku": "A-2", "name": "Apple", "price": "10.00", "stock": 0, "status": "on-sale", "released": None},
    {"sku": "B_1", "name": "50% off", "price": "1.20", "stock": 7, "fragile": True, "weight": -2.5},
    {"sku": "B-2", "name": "pear", "price": "-3.00", "stock": 5, "released": "2012-12-31", "weight": 0.1},
    {"sku": "C-1", "name": "a_b", "price": "2.00", "stock": 1, "status": "on-sale", "weight": None},
    {"sku": "C-2", "name": "\u00e4pple", "price": "2.50", "stock": 9, "released": "2013-01-05"},
]


# Nothing here writes, so that the rows are stored once.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(params=STORES, scope="module", loop_scope="module")
async def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with serve(make_store(request.param, tmp_path_factory.mktemp("lists"))) as served:
        for row in ROWS:
            assert (await served.client.post("/products", json=row)).status_code == 201
        yield served


async def skus(api: Api, query: str) -> list[str]:
    answer = await api.client.get(f"/products?limit=20&{query}")
    assert answer.status_code == 200, answer.text
    return [row["sku"] for row in answer.json()["items"]]


def expected(holds: Callable[[dict[str, Any]], bool]) -> list[str]:
    return [row["sku"] for row in ROWS if holds(row)]


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("stock=5", lambda row: row["stock"] == 5),
        ("stock.ne=5", lambda row: row["stock"] != 5),
        ("stock.ge=5&stock.lt=9", lambda row: 5 <= row["stock"] < 9),
        ("stock.in=0&stock.in=9", lambda row: row["stock"] in (0, 9)),
        ("price=1.2", lambda row: row["price"] == "1.20"),
        ("price.gt=1.20", lambda row: Decimal(row["price"]) > Decimal("1.20")),
        ("price.le=-3", lambda row: Decimal(row["price"]) <= -3),
        ("status=on-sale", lambda row: row.get("status") == "on-sale"),
        ("status.ne=on-sale", lambda row: row.get("status") != "on-sale"),
        ("fragile=true", lambda row: row.get("fragile", False)),
        ("released=2013-01-05", lambda row: row.get("released") == "2013-01-05"),
        ("released.lt=2013-01-01", lambda row: row.get("released", None) == "2012-12-31"),
        ("released.null=true", lambda row: row.get("released") is None),
        ("released.null=false", lambda row: row.get("released") is not None),
        # As in SQL: where nothing is known of a value, it is not known to be another one either.
        ("released.ne=2013-01-05", lambda row: row.get("released") == "2012-12-31"),
        ("weight=0.1", lambda row: row.get("weight") == 0.1),
        ("name=apple", lambda row: row["name"] == "apple"),
        ("name.like=%25ppl%25", lambda row: "ppl" in row["name"]),
        ("name.ilike=APP%25", lambda row: row["name"].lower().startswith("app")),
        ("name.like=50%5C%25%25", lambda row: row["name"].startswith("50%")),
        ("name.like=a%5C_b", lambda row: row["name"] == "a_b"),
        ("name.like=%5C", lambda row: False),
        ("name=%C3%A4pple", lambda row: row["name"] == "\u00e4pple"),
        ("sku.like=B_1&stock=7", lambda row: row["sku"] == "B_1"),
        ("created_at.gt=2013-01-01T00:00:00Z", lambda row: True),
        ("name='; DROP TABLE products; --", lambda row: False),
    ],
)
async def test_filters_find_what_python_finds(api: Api, query: str, holds: Callable[[dict[str, Any]], bool]) -> None:
    assert await skus(api, query) == expected(holds)


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("price", "B-2 A-1 B_1 C-1 C-2 A-2"),
        ("-price", "A-2 C-2 C-1 A-1 B_1 B-2"),
        ("price,-name", "B-2 A-1 B_1 C-1 C-2 A-2"),
        # Null comes first upwards and last downwards, and rows that are equal stand in the order of their key.
        ("released", "A-2 B_1 C-1 B-2 A-1 C-2"),
        ("-released", "A-1 C-2 B-2 A-2 B_1 C-1"),
        ("-weight,price", "B-2 A-1 B_1 C-1 C-2 A-2"),
        ("price,price,-price", "B-2 A-1 B_1 C-1 C-2 A-2"),
    ],
)
async def test_sorts_are_total(api: Api, sort: str, found: str) -> None:
    assert " ".join(await skus(api, f"sort={sort}")) == found


@pytest.mark.parametrize(
    "sort", ["", "price", "-price", "released", "-released,name", "weight,-released", "status,-weight"]
)
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_put_together_are_the_whole_list(api: Api, sort: str, limit: int) -> None:
    question: dict[str, Any] = {"sort": sort} if sort else {}
    whole = (await api.client.get("/products", params={**question, "limit": 20})).json()["items"]
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = (await api.client.get("/products", params={**question, **more, "limit": limit})).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert seen == whole


async def test_a_cursor_is_good_for_its_question_alone(api: Api) -> None:
    page = (await api.client.get("/products?sort=price&stock.ge=1&limit=2")).json()
    cursor = page["next_cursor"]
    assert (await api.client.get("/products?sort=price&stock.ge=1&limit=3", params={})).status_code == 200
    for other, status in [
        ("sort=price&stock.ge=1&limit=4", 200),
        ("sort=-price&stock.ge=1&limit=2", 404),
        ("sort=price&stock.ge=2&limit=2", 404),
        ("stock.ge=1&limit=2", 404),
    ]:
        assert (await api.client.get(f"/products?{other}&cursor={cursor}")).status_code == status, other


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [
        ("stok=5", "/stok", "unknown parameter; did you mean 'stock'?"),
        ("stock.gte=5", "/stock.gte", "unknown parameter; did you mean 'stock.gt'?"),
        ("extra=1", "/extra", "unknown parameter"),
        ("stock.ge=many", "/stock.ge", "must be a whole number"),
        ("price=1.234", "/price", "must have at most 2 digits after the point"),
        ("sku=12345678901234567", "/sku", "must have at most 16 characters, has 17"),
        ("name.like=%00", "/name.like", "must not contain the character NUL"),
        ("stock.in=1&stock.in=x", "/stock.in", "must be a whole number"),
        ("sort=stock", "/sort", "must be one of 'name', '-name', 'price', '-price', 'released', '-released', "),
        ("sort=prce", "/sort", "must be one of 'name', '-name', 'price', '-price', 'released', '-released', "),
        ("sort=", "/sort", "must be one of 'name', '-name', 'price', '-price', 'released', '-released', "),
    ],
)
async def test_questions_that_are_not_allowed(api: Api, query: str, pointer: str, detail: str) -> None:
    answer = await api.client.get(f"/products?{query}")
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["in"], fault["pointer"]) == ("query", pointer)
    assert fault["detail"].startswith(detail)
