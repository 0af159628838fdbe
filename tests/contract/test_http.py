"""The generated operations and routes of one's own, over HTTP and over every store."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loom.domain.model import schema_of
from tests.contract.http_api import STORES, Api, make_store, serve
from tests.unit.rest.rest_shop import Product

APPLE = {"sku": "A-1", "name": "Apple", "price": "1.20"}


@pytest.fixture(params=STORES)
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    async with serve(make_store(request.param, tmp_path)) as served:
        yield served


async def created(api: Api, **changes: Any) -> dict[str, Any]:
    answer = await api.client.post("/products", json=APPLE | changes)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_created_row_is_answered_whole_with_its_address(api: Api) -> None:
    answer = await api.client.post("/products", json=APPLE)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/products/{body['id']}"
    assert list(body) == list(schema_of(Product).names)
    assert body | APPLE == body
    # Values that equal their defaults are there: false is not the same as "not loaded".
    assert (body["stock"], body["fragile"], body["labels"], body["released"]) == (0, False, [], None)
    assert (await api.client.get(answer.headers["location"])).json() == body


async def test_every_type_survives_the_way_in_and_out(api: Api) -> None:
    sent = {
        "sku": "B-2",
        "name": "Bärlauch",
        "price": "999999.99",
        "stock": 9223372036854775807,
        "status": "on-sale",
        "released": "2013-01-05",
        "batch": "12345678-1234-5678-1234-567812345678",
        "labels": ["green", ""],
        "extra": {"deep": {"list": [1, None, True, 1.5]}},
        "weight": 0.125,
        "fragile": True,
    }
    body = await created(api, **sent)
    assert {name: body[name] for name in sent} == sent


async def test_a_patch_changes_only_what_was_sent(api: Api) -> None:
    before = await created(api, released="2013-01-05", stock=3)
    answer = await api.client.patch(f"/products/{before['id']}", json={"stock": 9})
    after = answer.json()
    assert answer.status_code == 200
    assert after | {"updated_at": before["updated_at"]} == before | {"stock": 9}


async def test_a_patch_tells_null_from_absent(api: Api) -> None:
    before = await created(api, released="2013-01-05", weight=1.5)
    after = (await api.client.patch(f"/products/{before['id']}", json={"released": None})).json()
    assert (after["released"], after["weight"]) == (None, 1.5)


async def test_an_empty_patch_changes_nothing(api: Api) -> None:
    before = await created(api)
    after = (await api.client.patch(f"/products/{before['id']}", json={})).json()
    assert after | {"updated_at": before["updated_at"]} == before


async def test_a_deleted_row_is_gone(api: Api) -> None:
    path = f"/products/{(await created(api))['id']}"
    deleted = await api.client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await api.client.get(path)).status_code == 404
    assert (await api.client.delete(path)).status_code == 404
    assert (await api.client.patch(path, json={"stock": 1})).status_code == 404


async def test_cursor_pages_meet_every_row_once(api: Api) -> None:
    for number in range(12):
        await created(api, sku=f"S-{number}")
    seen, cursor = [], ""
    while True:
        answer = await api.client.get("/products", params={"cursor": cursor} if cursor else {})
        page = answer.json()
        assert len(page["items"]) <= 5
        seen += [row["sku"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"S-{number}" for number in range(12)]


async def test_a_limit_narrows_the_page(api: Api) -> None:
    for number in range(3):
        await created(api, sku=f"S-{number}")
    page = (await api.client.get("/products?limit=2")).json()
    assert [row["sku"] for row in page["items"]] == ["S-0", "S-1"]
    rest = (await api.client.get("/products", params={"limit": 20, "cursor": page["next_cursor"]})).json()
    assert ([row["sku"] for row in rest["items"]], rest["next_cursor"]) == (["S-2"], None)


async def test_offset_pages_know_the_total(api: Api) -> None:
    for day in range(1, 8):
        rate = {"country": "SE", "since": f"2013-01-0{day}", "percent": "25.00"}
        assert (await api.client.post("/rates", json=rate)).status_code == 201
    page = (await api.client.get("/rates?limit=3&offset=2")).json()
    assert page["total"] == 7
    assert [row["since"] for row in page["items"]] == ["2013-01-03", "2013-01-04", "2013-01-05"]


async def test_a_composite_key_is_a_path_of_several_segments(api: Api) -> None:
    rate = {"country": "Å/", "since": "2013-01-05", "percent": "25.00"}
    answer = await api.client.post("/rates", json=rate | {"country": "SE"})
    assert answer.headers["location"] == "/rates/SE/2013-01-05"
    assert (await api.client.get("/rates/SE/2013-01-05")).json() == rate | {"country": "SE"}
    assert (await api.client.delete("/rates/SE/2013-01-05")).status_code == 204
    assert (await api.client.get("/rates/SE/2013-01-05")).status_code == 404


async def test_the_address_of_a_row_is_percent_encoded(api: Api) -> None:
    answer = await api.client.post("/rates", json={"country": "Å%", "since": "2013-01-05", "percent": "1"})
    assert answer.headers["location"] == "/rates/%C3%85%25/2013-01-05"
    assert (await api.client.get(answer.headers["location"])).json()["country"] == "Å%"


async def test_a_route_of_ones_own_runs_its_use_case(api: Api) -> None:
    product = await created(api, stock=2)
    answer = await api.client.post(f"/products/{product['id']}/restock", json={"pieces": 5})
    assert (answer.status_code, answer.json()["stock"]) == (202, 7)
    assert (await api.store.relay_store().counts())["pending"] == 1


async def test_query_parameters_are_typed(api: Api) -> None:
    await created(api, sku="A", status="on-sale", stock=9)
    await created(api, sku="B", status="on-sale", stock=1)
    await created(api, sku="C")

    async def find(query: str) -> list[str]:
        return [row["sku"] for row in (await api.client.get(f"/products/find?{query}")).json()]

    assert await find("status=on-sale") == ["A", "B"]
    assert await find("status=on-sale&low=true") == ["B"]
    assert await find("status=on-sale&skus=A&skus=Z") == ["A"]
    assert await find("status=draft") == ["C"]


async def test_head_answers_like_get_without_the_body(api: Api) -> None:
    path = f"/products/{(await created(api))['id']}"
    got, head = await api.client.get(path), await api.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_options_names_the_methods(api: Api) -> None:
    answer = await api.client.options("/products/1")
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH")


async def test_the_correlation_id_of_the_request_is_echoed_and_travels_with_the_event(api: Api) -> None:
    product = await created(api)
    answer = await api.client.post(
        f"/products/{product['id']}/restock", json={"pieces": 1}, headers={"X-Correlation-ID": "trace-7"}
    )
    assert answer.headers["x-correlation-id"] == "trace-7"
    (record,) = await api.store.relay_store().claim(10, now=dt.datetime.now(dt.UTC), lease=dt.timedelta(seconds=9))
    assert record.headers["x-correlation-id"] == "trace-7"


@pytest.mark.parametrize("sent", ["", "a" * 129, "a b", "caf\u00e9"])
async def test_a_correlation_id_that_could_harm_a_log_is_replaced(api: Api, sent: str) -> None:
    answer = await api.client.get("/service/ping", headers=[(b"x-correlation-id", sent.encode())])
    assert answer.headers["x-correlation-id"] not in ("", sent)


async def test_two_requests_have_two_correlation_ids(api: Api) -> None:
    first, second = await api.client.get("/service/ping"), await api.client.get("/service/ping")
    assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]


async def test_health_needs_no_interface(api: Api) -> None:
    live, ready = await api.client.get("/health/live"), await api.client.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_the_documents_are_served(api: Api) -> None:
    assert (await api.client.get("/openapi.json")).json()["openapi"] == "3.1.0"
    assert (await api.client.get("/docs")).status_code == 200
