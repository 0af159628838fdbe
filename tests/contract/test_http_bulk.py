"""Bulk routes: many rows in one transaction, all of them or none, every fault by the position of its item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.contract.http_api import Api, serve
from tests.unit.rest.rest_shop import Product, Rate, compiled


class Products(RestInterface[Product]):
    prefix = "/products"
    auto = True
    bulk = ("create", "update", "delete")
    bulk_size = 200


class Rates(RestInterface[Rate]):
    prefix = "/rates"
    auto = True
    bulk = ("create", "update", "delete")


PLANS = compiled([Products, Rates])


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Api]:
    async with serve(any_store, plans=PLANS) as served:
        yield served


def apple(sku: str, **changes: Any) -> dict[str, Any]:
    return {"sku": sku, "name": "Apple", "price": "1.20"} | changes


def faults_of(answer: httpx2.Response, status: int) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    return {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}


async def rows(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.client.get("/products?limit=200")).json()["items"]
    return found


async def create(api: Api, *skus: str) -> list[int]:
    answer = await api.client.post("/products/bulk", json=[apple(sku) for sku in skus])
    assert answer.status_code == 201, answer.text
    return [row["id"] for row in answer.json()]


async def test_many_rows_are_created_and_answered_in_their_order(api: Api) -> None:
    skus = [f"S-{number}" for number in reversed(range(100))]
    answer = await api.client.post("/products/bulk", json=[apple(sku) for sku in skus])
    made = answer.json()
    assert answer.status_code == 201
    assert [row["sku"] for row in made] == skus
    assert (await api.client.get(f"/products/{made[42]['id']}")).json() == made[42]
    assert "location" not in answer.headers


async def test_rows_with_composite_keys(api: Api) -> None:
    rates = [{"country": "SE", "since": f"2013-01-0{day}", "percent": "25.00"} for day in (3, 1, 2)]
    assert (await api.client.post("/rates/bulk", json=rates)).json() == rates
    changed = [{"country": "SE", "since": "2013-01-01", "percent": "12.50"}]
    assert (await api.client.patch("/rates/bulk", json=changed)).json() == changed
    keys = [{"country": "SE", "since": f"2013-01-0{day}"} for day in (1, 2)]
    answer = await api.client.post("/rates/bulk/delete", json=keys)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [row["since"] for row in (await api.client.get("/rates")).json()["items"]] == ["2013-01-03"]


async def test_many_rows_are_patched(api: Api) -> None:
    first, second, third = await create(api, "A", "B", "C")
    answer = await api.client.patch(
        "/products/bulk", json=[{"id": third, "stock": 3}, {"id": first, "name": "Pear", "released": "2013-01-05"}]
    )
    assert answer.status_code == 200
    assert [(row["id"], row["stock"], row["name"]) for row in answer.json()] == [
        (third, 3, "Apple"),
        (first, 0, "Pear"),
    ]
    assert [(row["name"], row["stock"]) for row in await rows(api)] == [("Pear", 0), ("Apple", 0), ("Apple", 3)]
    assert second


async def test_many_rows_are_deleted(api: Api) -> None:
    first, second, third = await create(api, "A", "B", "C")
    answer = await api.client.post("/products/bulk/delete", json=[{"id": third}, {"id": first}])
    assert (answer.status_code, answer.content) == (204, b"")
    assert [row["id"] for row in await rows(api)] == [second]


async def test_an_empty_list_changes_nothing(api: Api) -> None:
    assert (await api.client.post("/products/bulk", json=[])).json() == []
    assert (await api.client.patch("/products/bulk", json=[])).json() == []
    assert (await api.client.post("/products/bulk/delete", json=[])).status_code == 204


async def test_every_fault_of_every_item_is_told_at_once(api: Api) -> None:
    items: list[Any] = [apple("A"), apple("x" * 17, price=1.5), 7, apple("D", nmae="x")]
    answer = await api.client.post("/products/bulk", json=items)
    assert set(faults_of(answer, 422)) == {"/1/sku", "/1/price", "/2", "/3/nmae"}
    answer = await api.client.patch("/products/bulk", json=[{"stock": 1}, {"id": "x", "stock": "y"}])
    assert set(faults_of(answer, 422)) == {"/0/id", "/1/id", "/1/stock"}
    assert await rows(api) == []


async def test_every_taken_value_is_told_at_once(api: Api) -> None:
    await create(api, "A", "B")
    answer = await api.client.post("/products/bulk", json=[apple(sku) for sku in ("B", "C", "A", "D", "C")])
    assert faults_of(answer, 409) == {"/0/sku": "conflict", "/2/sku": "conflict", "/4/sku": "conflict"}
    assert len(await rows(api)) == 2


async def test_so_is_every_taken_key_of_several_columns(api: Api) -> None:
    rates = [{"country": country, "since": f"2013-01-0{day}", "percent": "1"} for country in "SF" for day in (1, 2)]
    assert (await api.client.post("/rates/bulk", json=[rates[0], rates[3]])).status_code == 201
    answer = await api.client.post("/rates/bulk", json=[rates[1], rates[0], rates[2], rates[1], rates[3]])
    taken = [f"/{position}/{name}" for position in (1, 3, 4) for name in ("country", "since")]
    assert faults_of(answer, 409) == dict.fromkeys(taken, "conflict")
    assert (await api.client.post("/rates/bulk", json=rates[1:3])).status_code == 201


async def test_every_missing_row_is_told_at_once_and_nothing_is_changed(api: Api) -> None:
    (first,) = await create(api, "A")
    answer = await api.client.patch(
        "/products/bulk", json=[{"id": 998, "stock": 1}, {"id": first, "stock": 1}, {"id": 999, "stock": 1}]
    )
    assert faults_of(answer, 404) == {"/0": "not-found", "/2": "not-found"}
    answer = await api.client.post("/products/bulk/delete", json=[{"id": first}, {"id": 999}])
    assert faults_of(answer, 404) == {"/1": "not-found"}
    assert [(row["id"], row["stock"]) for row in await rows(api)] == [(first, 0)]


async def test_a_conflict_of_a_patch_names_its_item(api: Api) -> None:
    first, second = await create(api, "A", "B")
    items = [{"id": first, "stock": 5}, {"id": second, "sku": "A"}]
    answer = await api.client.patch("/products/bulk", json=items)
    assert faults_of(answer, 409) == {"/1/sku": "conflict"}
    assert [row["stock"] for row in await rows(api)] == [0, 0]


async def test_one_row_is_named_once(api: Api) -> None:
    (first,) = await create(api, "A")
    answer = await api.client.patch("/products/bulk", json=[{"id": first, "stock": 1}, {"id": first, "stock": 2}])
    assert faults_of(answer, 409) == {"/1/id": "conflict"}


async def test_a_list_has_a_bound(api: Api) -> None:
    answer = await api.client.post("/products/bulk", json=[apple(f"S-{number}") for number in range(201)])
    assert faults_of(answer, 422) == {"": "size"}
    assert await rows(api) == []


@pytest.mark.parametrize("body", ["{}", "null", '"x"', "1"])
async def test_what_is_no_list_is_refused(api: Api, body: str) -> None:
    answer = await api.client.post("/products/bulk", content=body, headers={"content-type": "application/json"})
    assert faults_of(answer, 422) == {"": "type"}


async def test_a_list_that_is_sent_again_with_its_key_is_done_once(api: Api) -> None:
    for _ in range(2):
        answer = await api.client.post("/products/bulk", json=[apple("A")], headers={"Idempotency-Key": "one"})
        assert answer.status_code == 201
    assert len(await rows(api)) == 1


def test_the_document_knows_the_bounds_and_the_answers() -> None:
    paths = openapi_document(PLANS, ApiInfo())["paths"]
    create_many = paths["/products/bulk"]["post"]
    schema = create_many["requestBody"]["content"]["application/json"]["schema"]
    assert (schema["type"], schema["maxItems"]) == ("array", 200)
    assert create_many["operationId"] == "CreateManyProduct"
    assert "404" not in create_many["responses"]
    assert "404" in paths["/products/bulk"]["patch"]["responses"]
    assert "404" in paths["/products/bulk/delete"]["post"]["responses"]
