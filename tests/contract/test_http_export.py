"""NDJSON export: the whole list, line by line, in constant memory."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from loom.adapters.fastapi.settings import FastapiSettings
from loom.core import Query, UseCase
from loom.domain.errors import Unavailable
from loom.ports.persistence import Persistence
from loom.rest import RestInterface, RestRoute
from tests.contract.http_api import Api, make_store, serve
from tests.unit.rest.rest_shop import Product, compiled


class TornExport(UseCase[Product, AsyncIterator[Product]]):
    """Breaks off after so many rows."""

    read_only = True

    async def execute(self, rows: int) -> AsyncIterator[Product]:
        return self._rows(rows)

    async def _rows(self, rows: int) -> AsyncIterator[Product]:
        found = [row async for row in self.main_repo.stream(Query(limit=1))]
        for _ in range(rows):
            yield found[0]
        raise Unavailable("the database went away at db7.internal")


class LateExport(UseCase[Product, AsyncIterator[str]]):
    """Writes a row, and never comes to the first line; or comes to it, and then takes longer than a request may."""

    async def execute(self, size: int = 0) -> AsyncIterator[str]:
        await self.main_repo.create({"sku": "late", "name": "late", "price": 1})
        return self._lines(size)

    async def _lines(self, size: int) -> AsyncIterator[str]:
        if size == 0:
            await asyncio.Event().wait()
        yield "x" * size
        await asyncio.sleep(1.2)
        yield "end"


class Restocked(UseCase[Product, AsyncIterator[Product]]):
    """Writes, and shows what it wrote while it does."""

    async def execute(self) -> AsyncIterator[Product]:
        return self._rows()

    async def _rows(self) -> AsyncIterator[Product]:
        yield await self.main_repo.create({"sku": "new", "name": "new", "price": 1})


class Exported(RestInterface[Product]):
    prefix = "/products"
    auto = True
    export = True
    filters = ("sku", "name")
    sorts = ("name",)
    routes = (
        RestRoute(use_case=TornExport, method="GET", path="/torn"),
        RestRoute(use_case=Restocked, method="POST", path="/restocked"),
        RestRoute(use_case=LateExport, method="POST", path="/late"),
    )


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Api]:
    async with serve(any_store, plans=compiled([Exported])) as served:
        yield served


async def fill(api: Api, count: int) -> None:
    async with api.store.begin() as unit:
        rows = [{"sku": f"S-{number}", "name": f"N{number % 3}", "price": 1} for number in range(count)]
        await unit.repository(Product).create_many(rows)
        await unit.commit()


class Wire:
    """One request, spoken by hand: httpx2 would hold the whole body, and could not go away in the middle."""

    def __init__(self, api: Api, path: str, method: str = "GET") -> None:
        path, _, query = path.partition("?")
        self._app = api.app
        self._scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [],
        }
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.ended = False
        self.gone = asyncio.Event()

    async def run(self, take: Callable[[bytes], None]) -> None:
        """Speak; ``take`` gets each portion."""
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], dict(message["headers"])
            else:
                take(message["body"])
                self.ended = not message.get("more_body", False)

        await self._app(self._scope, receive, send)


async def test_the_whole_list_comes_as_one_line_for_each_row(api: Api) -> None:
    await fill(api, 60)
    answer = await api.client.get("/products/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    lines = answer.text.splitlines()
    assert answer.text.endswith("\n")
    assert [json.loads(line)["sku"] for line in lines] == [f"S-{number}" for number in range(60)]
    assert json.loads(lines[7]) == (await api.client.get("/products/8")).json()


async def test_it_is_filtered_and_sorted_as_the_list_is(api: Api) -> None:
    await fill(api, 9)
    answer = await api.client.get("/products/export?name=N1&sort=-name")
    assert [json.loads(line)["sku"] for line in answer.text.splitlines()] == ["S-1", "S-4", "S-7"]


@pytest.mark.parametrize("query", ["limit=5", "cursor=x", "offset=1", "colour=red"])
async def test_it_has_no_pages_and_refuses_what_it_does_not_know(api: Api, query: str) -> None:
    answer = await api.client.get(f"/products/export?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_an_empty_list_is_an_empty_body(api: Api) -> None:
    answer = await api.client.get("/products/export")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_head_says_what_get_would_say(api: Api) -> None:
    await fill(api, 3)
    answer = await api.client.head("/products/export")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-ndjson"


async def test_a_failure_before_the_first_line_is_a_problem(api: Api) -> None:
    answer = await api.client.get("/products/torn?rows=0")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "db7" not in answer.text


async def test_time_runs_out_before_the_first_line_and_not_after_it(tmp_path: Path) -> None:
    settings = FastapiSettings(request_timeout=1.0)
    async with serve(make_store("sqlite", tmp_path), settings, compiled([Exported])) as api:
        answer = await api.client.post("/products/late")
        assert (answer.status_code, answer.json()["code"]) == (504, "LOOM-DEADLINE")
        # What it had written is undone, and its connection given back.
        assert (await api.client.get("/products/export")).content == b""
        whole = await api.client.post("/products/late?size=70000")
        assert (whole.status_code, len(whole.text.splitlines())) == (200, 2)


async def test_a_failure_in_the_middle_is_no_proper_end(api: Api) -> None:
    """The server is left to break the connection off: a client sees that the body is not whole."""
    await fill(api, 1)
    wire = Wire(api, "/products/torn?rows=2000")
    portions: list[bytes] = []
    with pytest.raises(Unavailable):
        await wire.run(portions.append)
    assert (wire.status, wire.ended) == (200, False)
    assert portions


async def test_a_streamed_answer_is_not_kept_for_a_key(api: Api) -> None:
    """It is not there as a whole when its transaction ends. So the key is not looked at, as the document says."""
    again = [await api.client.post("/products/restocked", headers={"idempotency-key": "k-1"}) for _ in range(2)]
    assert [answer.status_code for answer in again] == [200, 409]
    assert json.loads(again[0].text)["sku"] == "new"
    operation = api.app.openapi()["paths"]["/products/restocked"]["post"]
    assert "Idempotency-Key" not in {each["name"] for each in operation.get("parameters", ())}


async def test_a_client_that_goes_away_ends_the_reading(api: Api) -> None:
    await fill(api, 3000)
    wire = Wire(api, "/products/export")
    portions: list[bytes] = []

    def take(portion: bytes) -> None:
        portions.append(portion)
        wire.gone.set()

    await wire.run(take)
    assert not wire.ended
    assert len(portions) < 4
    # Its connection is given back: there is one for whoever comes next.
    assert (await api.client.post("/products", json={"sku": "X", "name": "X", "price": "1"})).status_code == 201


async def test_a_hundred_thousand_rows_take_a_small_part_of_their_size(tmp_path: Path) -> None:
    """What is held at once does not grow with the list."""
    async with serve(make_store("sqlite", tmp_path), plans=compiled([Exported])) as api:
        await fill(api, 100_000)
        wire, size = Wire(api, "/products/export"), 0

        def take(portion: bytes) -> None:
            nonlocal size
            size += len(portion)

        tracemalloc.start()
        await wire.run(take)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert wire.ended
        assert size > 20_000_000
        assert peak < size / 10


def test_the_document_speaks_of_lines() -> None:
    from loom.application.rest.openapi import ApiInfo, openapi_document

    operation = openapi_document(compiled([Exported]), ApiInfo())["paths"]["/products/export"]["get"]
    content = operation["responses"]["200"]["content"]["application/x-ndjson"]["schema"]
    assert content["contentSchema"] == {"$ref": "#/components/schemas/Product"}
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"sort", "name.like"} <= names
    assert names.isdisjoint({"limit", "cursor", "offset"})
