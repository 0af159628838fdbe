"""What goes wrong elsewhere: each mistake of a client is a 4xx problem that names the field, and nothing is written."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from loom.adapters.fastapi.settings import FastapiSettings
from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.config.loading import load
from loom.config.structure import structure
from loom.core import entity, field, key
from loom.domain.errors import ConfigError
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.contract.http_api import Api, make_store, serve
from tests.contract.statement_count import statements_of
from tests.unit.rest.rest_shop import NothingBound, ServiceInterface, compiled


@entity(table="mistake_makers")
class Maker:
    id: int = key(autoincrement=True)
    name: str = field(max_length=10, unique=True)


@entity(table="mistake_items", version=True)
class Item:
    id: int = key(autoincrement=True)
    name: str = field(max_length=10)
    maker_id: int = field(references="mistake_makers.id")
    seller_id: int | None = field(default=None, references="mistake_makers.id")
    count: int = 0
    fragile: bool = False
    note: str = ""
    at: dt.datetime | None = None
    version: int = 1


@entity(table="mistake_words")
class Word:
    text: str = key(max_length=10)
    meaning: str = ""


class Makers(RestInterface[Maker]):
    prefix = "/makers"
    auto = True


class Items(RestInterface[Item]):
    prefix = "/items"
    auto = True
    page_size = 2
    filters = ("name", "count", "at")
    sorts = ("count",)
    bulk = ("create", "update", "delete")
    export = True


class Words(RestInterface[Word]):
    prefix = "/words"
    auto = True
    filters = ("text",)


PLANS = compiled([Makers, Items, Words, ServiceInterface])
MODELS = (Maker, Item, Word)
SETTINGS = FastapiSettings(max_body_bytes=4096)
JSON = {"content-type": "application/json"}
ACME = {"name": "Acme"}
ITEM = {"name": "Cup", "maker_id": 1}


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Api]:
    async with serve(any_store, SETTINGS, PLANS, MODELS) as served:
        assert (await served.client.post("/makers", json=ACME)).status_code == 201
        yield served


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The one shape of every refusal."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code", "correlation_id"} <= set(document)
    assert set(document) <= {"type", "title", "status", "detail", "code", "correlation_id", "errors"}
    return document


def pointers(answer: httpx2.Response, status: int = 422) -> set[str]:
    return {f"{fault['in']} {fault['pointer']}" for fault in problem(answer, status)["errors"]}


async def created(api: Api, **changes: Any) -> dict[str, Any]:
    answer = await api.client.post("/items", json=ITEM | changes)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def count(api: Api) -> int:
    return len((await api.client.get("/items/export")).text.splitlines())


WRITES = [("POST", "/items"), ("PATCH", "/items/1"), ("POST", "/items/bulk"), ("PATCH", "/items/bulk"),
          ("POST", "/items/bulk/delete")]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b'{"name": "\xff"}', b"\xff\xfe{\x00", b"{'a': 1}", b"[" * 4000])
async def test_what_is_not_json_is_a_bad_request(api: Api, method: str, path: str, body: bytes) -> None:
    problem(await api.client.request(method, path, content=body, headers=JSON), 400)


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_an_array_for_an_object_and_the_other_way_round(api: Api, method: str, path: str) -> None:
    wrong: object = {} if "bulk" in path else [ITEM]
    assert pointers(await api.client.request(method, path, json=wrong)) == {"body "}


async def test_text_that_is_longer_than_its_column(api: Api) -> None:
    await created(api)
    assert pointers(await api.client.post("/items", json=ITEM | {"name": "x" * 11})) == {"body /name"}
    assert pointers(await api.client.patch("/items/1", json={"name": "x" * 11})) == {"body /name"}
    assert pointers(await api.client.get(f"/words/{'x' * 11}")) == {"path /text"}
    assert (await api.client.get(f"/words?text={'x' * 11}")).status_code == 422
    assert await count(api) == 1


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
async def test_an_integer_beyond_its_column(api: Api, number: int) -> None:
    # Whether JSON with such a number is JSON at all is for its reader to say.
    sent = (
        json.dumps(ITEM | {"count": number}) if number < 10**30 else f'{{"name":"C","maker_id":1,"count":1{"0" * 400}}}'
    )
    answer = await api.client.post("/items", content=sent, headers=JSON)
    problem(answer, answer.status_code)
    assert answer.status_code in (400, 422)
    shown = str(number) if number < 10**30 else "1" + "0" * 400
    for method in ("GET", "DELETE"):
        assert pointers(await api.client.request(method, f"/items/{shown}")) == {"path /id"}
    assert pointers(await api.client.patch(f"/items/{shown}", json={})) == {"path /id"}
    assert pointers(await api.client.get(f"/items?count={shown}")) == {"query /count"}
    assert await count(api) == 0


async def test_nul_in_text(api: Api) -> None:
    assert pointers(await api.client.post("/items", json=ITEM | {"note": "a\0b"})) == {"body /note"}
    assert pointers(await api.client.post("/items/bulk", json=[ITEM, ITEM | {"note": "\0"}])) == {"body /1/note"}
    assert pointers(await api.client.get("/items?name=a%00b")) == {"query /name"}
    assert pointers(await api.client.get("/words/a%00b")) == {"path /text"}
    assert await count(api) == 0


async def test_invalid_utf8(api: Api) -> None:
    problem(await api.client.post("/items", content=b'{"name": "\xc3\x28", "maker_id": 1}', headers=JSON), 400)
    problem(await api.client.get("/items?name=%C3%28"), 422)
    # The server reads such bytes of a path as U+FFFD, which is no reason to answer with the row of that name.
    assert (await api.client.post("/words", json={"text": "\ufffd"})).headers["location"] == "/words/%EF%BF%BD"
    assert (await api.client.get("/words/%EF%BF%BD")).json()["text"] == "\ufffd"
    for method in ("GET", "DELETE"):
        assert pointers(await api.client.request(method, "/words/%FF")) == {"path /text"}
        assert pointers(await api.client.request(method, "/words/a%2Fb%ED%A0%80")) == {"path /text"}
    problem(await api.client.get("/items/%FF"), 422)
    lone = await api.client.post("/items", content=b'{"name": "\\ud800", "maker_id": 1}', headers=JSON)
    assert lone.status_code in (400, 422)
    assert await count(api) == 0


async def test_deleting_a_row_that_others_refer_to(api: Api) -> None:
    item = await created(api, seller_id=1)
    problem(await api.client.delete("/makers/1"), 409)
    assert (await api.client.get("/makers/1")).status_code == 200
    assert (await api.client.delete(f"/items/{item['id']}")).status_code == 204
    assert (await api.client.delete("/makers/1")).status_code == 204


async def test_foreign_keys_are_enforced_both_of_them(api: Api) -> None:
    """Two references to one table, on SQLite too."""
    assert pointers(await api.client.post("/items", json=ITEM | {"maker_id": 9}), 409) == {"body /maker_id"}
    assert pointers(await api.client.post("/items", json=ITEM | {"seller_id": 9}), 409) == {"body /seller_id"}
    path = f"/items/{(await created(api))['id']}"
    assert pointers(await api.client.patch(path, json={"seller_id": 9}), 409) == {"body /seller_id"}
    assert await count(api) == 1


async def test_all_errors_are_told_and_not_the_first_alone(api: Api) -> None:
    answer = await api.client.post("/items?x=1", json={"name": 1, "maker_id": "1", "count": None, "nmae": "x"})
    assert pointers(answer) == {"query /x", "body /name", "body /maker_id", "body /count", "body /nmae"}


async def test_there_is_one_shape_of_errors(api: Api) -> None:
    client = api.client
    problem(await client.get("/nowhere"), 404)
    problem(await client.get("/items/9"), 404)
    problem(await client.put("/items/1", json={}), 405)
    problem(await client.post("/makers", json=ACME), 409)
    problem(await client.post("/items", content=b"x" * 5000, headers=JSON), 413)
    problem(await client.post("/items", content=b"<a/>", headers={"content-type": "application/xml"}), 415)
    problem(await client.post("/items", json={}), 422)
    problem(await client.get("/service/break"), 500)


async def test_values_that_equal_their_default_are_in_the_reply(api: Api) -> None:
    item = await created(api)
    assert (item["count"], item["fragile"], item["note"], item["at"], item["seller_id"]) == (0, False, "", None, None)
    assert (await api.client.get("/items")).json()["items"] == [item]


async def test_unknown_fields_are_refused_everywhere(api: Api) -> None:
    await created(api)
    assert pointers(await api.client.post("/items", json=ITEM | {"colour": 1})) == {"body /colour"}
    assert pointers(await api.client.patch("/items/1", json={"colour": 1})) == {"body /colour"}
    assert pointers(await api.client.patch("/items/bulk", json=[{"id": 1, "colour": 1}])) == {"body /0/colour"}


async def test_deleting_nothing_is_not_found(api: Api) -> None:
    problem(await api.client.delete("/items/1"), 404)


async def test_what_was_posted_has_an_address(api: Api) -> None:
    answer = await api.client.post("/items", json=ITEM)
    assert (await api.client.get(answer.headers["location"])).json() == answer.json()


async def test_a_slash_at_the_end_is_no_redirect(api: Api) -> None:
    problem(await api.client.get("/items/"), 404)


async def test_head_and_options_are_served(api: Api) -> None:
    await created(api)
    for path in ("/items", "/items/1", "/items/export"):
        assert (await api.client.head(path)).status_code == 200
        assert "GET" in (await api.client.options(path)).headers["allow"]
    assert (await api.client.options("/items/bulk")).status_code == 204


async def test_if_match_is_never_ignored(api: Api) -> None:
    await created(api)
    await api.client.patch("/items/1", json={"count": 1}, headers={"If-Match": '"1"'})
    problem(await api.client.patch("/items/1", json={"count": 2}, headers={"If-Match": '"1"'}), 412)
    assert (await api.client.get("/items/1")).json()["count"] == 1


async def test_datetimes_keep_their_instant_and_their_zone(api: Api) -> None:
    item = await created(api, at="2013-01-01T05:00:00+05:30")
    assert dt.datetime.fromisoformat(item["at"]) == dt.datetime(2012, 12, 31, 23, 30, tzinfo=dt.UTC)
    assert item["at"].endswith("Z")
    assert (await api.client.get("/items/1")).json() == item
    found = await api.client.get("/items", params={"at": "2012-12-31T18:30:00-05:00"})
    assert found.json()["items"] == [item]
    assert pointers(await api.client.post("/items", json=ITEM | {"at": "2013-01-01T05:00:00"})) == {"body /at"}


async def test_huge_bodies_are_not_read(api: Api) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 1000

    for path in ("/items", "/items/bulk"):
        problem(await api.client.post(path, content=body(), headers=JSON), 413)
    assert read < 20


async def test_cursors_that_were_tampered_with_or_belong_elsewhere(api: Api) -> None:
    for number in range(3):
        await created(api, count=number)
    cursor = (await api.client.get("/items")).json()["next_cursor"]
    for wrong in (cursor[:-2], cursor[::-1], "x", "\u00fc", "%00", "a" * 5000):
        problem(await api.client.get("/items", params={"cursor": wrong}), 404)
    problem(await api.client.get("/items", params={"cursor": cursor, "sort": "-count"}), 404)
    problem(await api.client.get("/items", params={"cursor": cursor, "count.ge": "0"}), 404)
    assert (await api.client.get("/items", params={"cursor": cursor})).status_code == 200


async def test_filters_and_sorts_on_columns_that_are_not_declared(api: Api) -> None:
    assert pointers(await api.client.get("/items?fragile=true")) == {"query /fragile"}
    assert pointers(await api.client.get("/items?sort=name")) == {"query /sort"}
    assert pointers(await api.client.get("/items?count.like=1")) == {"query /count.like"}


def test_filters_statuses_lengths_and_formats_are_in_the_document() -> None:
    document = openapi_document(PLANS, ApiInfo())
    names = {each["name"] for each in document["paths"]["/items"]["get"]["parameters"]}
    assert {"name.like", "count.ge", "at.lt", "sort", "limit", "cursor"} <= names
    assert {"400", "409", "413", "415", "422"} <= set(document["paths"]["/items"]["post"]["responses"])
    sent = document["components"]["schemas"]["CreateItem"]["properties"]
    assert sent["name"]["maxLength"] == 10
    assert sent["count"]["maximum"] == 2**63 - 1
    assert "date-time" in str(sent["at"])


def test_misspelt_options_and_modes_are_issues_with_the_near_name() -> None:
    class Misspelt(RestInterface[Maker]):
        prefix = "/makers"
        auto = True
        filterble = ("name",)

    class Mode(RestInterface[Maker]):
        prefix = "/makers"
        auto = True
        pagination_mode = "cursr"  # type: ignore[assignment]

    for cls, code, remedy in (
        (Misspelt, "LOOM-REST-001", "'filters'"),
        (Mode, "LOOM-REST-013", "PaginationMode.CURSOR"),
    ):
        issues = Issues()
        assert compile_interface(cls, issues, NothingBound()) is None
        (issue,) = issues.found
        assert (issue.code, remedy in issue.remedy) == (code, True)


def test_a_pool_is_sized_in_yaml_and_its_misspelling_is_told(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text("persistence: {adapter: sqlalchemy, pool_size: 3}\n")
    assert structure(load(file)).adapters["persistence"].settings.pool_size == 3
    file.write_text("persistence: {adapter: sqlalchemy, pool_sise: 3}\n")
    with pytest.raises(ConfigError, match="did you mean 'pool_size'"):
        structure(load(file))


async def test_a_route_without_a_table_needs_none() -> None:
    store = make_store("memory", Path())
    async with serve(store, plans=compiled([ServiceInterface]), models=()) as served:
        assert (await served.client.get("/service/ping")).json() == "pong"


async def test_a_read_is_one_statement_and_a_write_brings_back_what_it_wrote(tmp_path: Path) -> None:
    """The same text for every caller: no trace id in a comment makes it new to the database."""
    store = make_store("sqlite", tmp_path)
    async with serve(store, SETTINGS, PLANS, MODELS) as api:
        await api.client.post("/makers", json=ACME)
        with statements_of(store) as sent:
            for number in (1, 2):
                await api.client.post("/items", json=ITEM, headers={"X-Correlation-ID": f"trace-{number}"})
                await api.client.get("/items/1", headers={"X-Correlation-ID": f"trace-{number}"})
        begin, insert, commit, select = sent[:4]
        assert sent == [begin, insert, commit, select] * 2
        assert (begin, commit) == ("BEGIN IMMEDIATE", "COMMIT")
        assert (insert[:6], "RETURNING" in insert, select[:6]) == ("INSERT", True, "SELECT")
