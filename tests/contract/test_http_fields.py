"""Sparse fields: ``?fields=sku,name`` reads and answers these columns and the key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.ports.persistence import Persistence
from loom.rest import PaginationMode, RestInterface
from tests.contract.http_api import Api, make_store, serve
from tests.contract.statement_count import statements_of
from tests.unit.rest.rest_shop import NothingBound, Product, Rate, compiled


class Products(RestInterface[Product]):
    prefix = "/products"
    auto = True
    page_size = 2
    sorts = ("price",)
    filters = ("stock",)
    fields = ("sku", "name", "stock", "extra", "created_at")


class Rates(RestInterface[Rate]):
    prefix = "/rates"
    auto = True
    pagination_mode = PaginationMode.OFFSET
    fields = ("percent",)


PLANS = compiled([Products, Rates])
APPLE = {"sku": "A", "name": "Apple", "price": "1.20", "extra": {"a": [1]}}


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Api]:
    async with serve(any_store, plans=PLANS) as served:
        for number in range(3):
            sent = APPLE | {"sku": f"S-{number}", "price": f"{9 - number}.00", "stock": number}
            assert (await served.client.post("/products", json=sent)).status_code == 201
        yield served


async def read(api: Api, path: str) -> Any:
    answer = await api.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_row_has_what_was_asked_for_and_its_key(api: Api) -> None:
    assert await read(api, "/products/1?fields=name,extra") == {"id": 1, "name": "Apple", "extra": {"a": [1]}}
    whole = await read(api, "/products/1")
    some = await read(api, "/products/1?fields=created_at,sku,created_at")
    assert some == {name: whole[name] for name in ("id", "sku", "created_at")}


async def test_pages_have_what_was_asked_for(api: Api) -> None:
    page = await read(api, "/products?fields=sku&sort=price&stock.ge=0")
    assert page["items"] == [{"id": 3, "sku": "S-2"}, {"id": 2, "sku": "S-1"}]
    rest = await api.client.get(
        "/products", params={"fields": "sku", "sort": "price", "stock.ge": 0, "cursor": page["next_cursor"]}
    )
    assert rest.json() == {"items": [{"id": 1, "sku": "S-0"}], "next_cursor": None}


async def test_pages_by_offset_and_composite_keys(api: Api) -> None:
    rate = {"country": "SE", "since": "2013-01-05", "percent": "25.00"}
    await api.client.post("/rates", json=rate)
    assert await read(api, "/rates?fields=percent") == {"items": [rate], "total": 1}
    assert await read(api, "/rates/SE/2013-01-05?fields=percent") == rate


async def test_a_row_that_is_not_there_is_not_found(api: Api) -> None:
    assert (await api.client.get("/products/99?fields=sku")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("skuu", "must be one of 'sku', 'name', 'stock', 'extra', 'created_at'; did you mean 'sku'?"),
        ("price", "must be one of 'sku', 'name', 'stock', 'extra', 'created_at'"),
        ("sku,", "must be one of 'sku', 'name', 'stock', 'extra', 'created_at'"),
    ],
)
async def test_a_column_that_is_not_declared_is_refused(api: Api, asked: str, told: str) -> None:
    for path in ("/products", "/products/1"):
        answer = await api.client.get(path, params={"fields": asked})
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["in"], fault["pointer"], fault["detail"]) == ("query", "/fields", told)


async def test_only_these_columns_are_read(tmp_path: Path) -> None:
    store = make_store("sqlite", tmp_path)
    async with serve(store, plans=PLANS) as api:
        await api.client.post("/products", json=APPLE)
        with statements_of(store) as statements:
            await read(api, "/products?fields=sku")
            await read(api, "/products/1?fields=name")
    first, second = (" ".join(each.split("FROM")[0].split()) for each in statements)
    assert first == "SELECT products.id, products.sku"
    assert second == "SELECT products.id, products.name"


def test_an_unknown_column_is_an_issue_with_the_near_one() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/products"
        auto = True
        fields = ("skuu",)

    issues = Issues()
    assert compile_interface(Wrong, issues, NothingBound()) is None
    assert [(issue.code, issue.remedy) for issue in issues.found] == [("LOOM-REST-070", "did you mean 'sku'?")]


def test_the_document_knows_both_shapes() -> None:
    document = openapi_document(PLANS, ApiInfo())
    get = document["paths"]["/products/{id}"]["get"]
    (parameter,) = [each for each in get["parameters"] if each["name"] == "fields"]
    assert parameter["schema"]["items"]["enum"] == ["sku", "name", "stock", "extra", "created_at"]
    whole, some = get["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert whole == {"$ref": "#/components/schemas/Product"}
    held = document["components"]["schemas"][some["$ref"].rpartition("/")[2]]
    assert (held["required"], held["additionalProperties"]) == (["id"], False)
    assert set(held["properties"]) == {"id", "sku", "name", "stock", "extra", "created_at"}
