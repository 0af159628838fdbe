"""What a client does wrong, and what goes wrong behind it: one shape of answer, each status where it belongs."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.memory.persistence import MemoryPersistence
from loom.domain.errors import Unavailable
from tests.contract.http_api import STORES, Api, make_store, serve

APPLE = {"sku": "A-1", "name": "Apple", "price": "1.20"}
JSON = {"content-type": "application/json"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serve(make_store("memory", tmp_path), FastapiSettings(max_body_bytes=4096)) as served:
        yield served


@pytest.fixture(params=STORES)
async def stored(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    """For refusals that the store has a say in."""
    async with serve(make_store(request.param, tmp_path)) as served:
        yield served


def problem_of(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document, which every refusal has in the same shape."""
    document: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["status"]) == (status, status), answer.text
    assert document["correlation_id"] == answer.headers["x-correlation-id"]
    assert document["type"] == "about:blank"
    return document


def faults_of(answer: httpx2.Response, status: int = 422) -> dict[str, str]:
    """The faults of a refusal: part and pointer to text."""
    return {f"{fault['in']} {fault['pointer']}": fault["detail"] for fault in problem_of(answer, status)["errors"]}


async def rows(api: Api) -> int:
    return len((await api.client.get("/products")).json()["items"])


async def test_a_whole_problem_document(stored: Api) -> None:
    answer = await stored.client.get("/products/7", headers={"X-Correlation-ID": "trace-7"})
    assert problem_of(answer, 404) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Product 7 does not exist",
        "code": "LOOM-NOT-FOUND",
        "correlation_id": "trace-7",
    }


async def test_every_fault_of_a_body_is_told_at_once(api: Api) -> None:
    answer = await api.client.post(
        "/products", json={"sku": "x" * 17, "nmae": "Apple", "price": 1.2, "stock": "3", "status": "onsale"}
    )
    assert faults_of(answer) == {
        "body /sku": "must have at most 16 characters, has 17",
        "body /name": "is required",
        "body /price": "must be decimal text such as '12.50': a number with a fraction is not exact in JSON",
        "body /stock": "must be a whole number, not text",
        "body /status": "must be one of 'draft', 'on-sale'; did you mean 'on-sale'?",
        "body /nmae": "unknown field; did you mean 'name'?",
    }
    assert await rows(api) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stock", 9223372036854775808),
        ("stock", 10**30),
        ("stock", 1.5),
        ("stock", True),
        ("price", "1000000.00"),
        ("price", "1.234"),
        ("price", "NaN"),
        ("weight", 1e400),
        ("name", "NUL \0 inside"),
        ("labels", "text"),
        ("labels", [1]),
        ("extra", []),
        ("extra", {"key": "\0"}),
        ("released", "2013-02-30"),
        ("batch", "1234"),
        ("status", None),
    ],
)
async def test_a_value_that_no_column_holds_is_refused(api: Api, field: str, value: object) -> None:
    answer = await api.client.post("/products", content=json.dumps(APPLE | {field: value}), headers=JSON)
    assert answer.status_code in (400, 422)
    problem_of(answer, answer.status_code)
    assert await rows(api) == 0


@pytest.mark.parametrize("body", [b"", b"{", b"{'sku': 1}", b"\xff\xfe", b'{"sku": "\xc3\x28"}', b"nul", b"[" * 100_0])
async def test_what_is_not_json_is_malformed(api: Api, body: bytes) -> None:
    assert problem_of(await api.client.post("/products", content=body, headers=JSON), 400)["code"] == "LOOM-MALFORMED"


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "1"])
async def test_json_that_is_no_object_is_invalid(api: Api, body: str) -> None:
    answer = await api.client.post("/products", content=body, headers=JSON)
    assert list(faults_of(answer)) == ["body "]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "",
        # Each says of its JSON what a plain object does not.
        "application/merge-patch+json",
        "application/json-patch+json",
        "application/vnd.x+json",
        "multipart/form-data+json",
        "+json",
    ],
)
async def test_another_content_type_is_unsupported(api: Api, content_type: str) -> None:
    answer = await api.client.post("/products", content=json.dumps(APPLE), headers={"content-type": content_type})
    assert problem_of(answer, 415)["code"] == "LOOM-REST-MEDIA"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON"])
async def test_json_by_any_spelling_of_its_name_is_read(api: Api, content_type: str) -> None:
    answer = await api.client.post("/products", content=json.dumps(APPLE), headers={"content-type": content_type})
    assert answer.status_code == 201


async def test_a_body_beyond_the_limit_is_refused_by_its_declared_length(api: Api) -> None:
    answer = await api.client.post("/products", json=APPLE | {"name": "x" * 5000})
    assert problem_of(answer, 413)["code"] == "LOOM-REST-BODY"


async def test_a_body_beyond_the_limit_is_refused_while_it_streams_in(api: Api) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"x" * 1000

    problem_of(await api.client.post("/products", content=chunks(), headers=JSON), 413)
    assert sent < 10


async def test_a_body_that_streams_in_is_put_together(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        text = json.dumps(APPLE).encode()
        yield text[:10]
        yield text[10:]

    assert (await api.client.post("/products", content=chunks(), headers=JSON)).status_code == 201


@pytest.mark.parametrize("key", ["abc", "1.0", "01", "-", "9223372036854775808", "9" * 5000, "%00", "%FF", "\u0661"])
async def test_a_key_that_is_none_is_refused_by_the_path(api: Api, key: str) -> None:
    assert list(faults_of(await api.client.get(f"/products/{key}"))) == ["path /id"]


async def test_a_slash_inside_a_key_belongs_to_the_key(api: Api) -> None:
    assert list(faults_of(await api.client.get("/products/1%2F2"))) == ["path /id"]


async def test_faults_of_path_query_and_body_are_told_together(api: Api) -> None:
    answer = await api.client.post("/products/x/restock?pieces=1", json={"pieces": "many"})
    assert faults_of(answer) == {
        "path /product_id": "must be a whole number",
        "query /pieces": "unknown parameter",
        "body /pieces": "must be a whole number, not text",
    }


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("lmit=3", {"query /lmit": "unknown parameter; did you mean 'limit'?"}),
        ("limit=0", {"query /limit": "must be between 1 and 20"}),
        ("limit=21", {"query /limit": "must be between 1 and 20"}),
        ("limit=", {"query /limit": "must be a whole number"}),
        ("limit=1&limit=2", {"query /limit": "is given more than once"}),
        ("limit=1&offset=0", {"query /offset": "unknown parameter"}),
        ("limit=%FF", {"query ": "must be percent-encoded UTF-8 with at most 200 parameters"}),
        ("&".join("a=1" for _ in range(300)), {"query ": "must be percent-encoded UTF-8 with at most 200 parameters"}),
    ],
)
async def test_faults_of_the_query_string(api: Api, query: str, faults: dict[str, str]) -> None:
    assert faults_of(await api.client.get(f"/products?{query}")) == faults


async def test_a_required_query_parameter(api: Api) -> None:
    assert faults_of(await api.client.get("/products/find")) == {"query /status": "is required"}
    assert faults_of(await api.client.get("/products/find?status=onsale&low=yes")) == {
        "query /status": "must be one of 'draft', 'on-sale'; did you mean 'on-sale'?",
        "query /low": "must be true or false",
    }


async def test_a_cursor_cannot_be_made_or_changed(stored: Api) -> None:
    for number in range(7):
        await stored.client.post("/products", json=APPLE | {"sku": f"S-{number}"})
    cursor = (await stored.client.get("/products")).json()["next_cursor"]
    changed = [cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), cursor[4:], "", "x", "\u00fc", cursor * 2]
    for wrong in changed:
        answer = await stored.client.get("/products", params={"cursor": wrong})
        assert faults_of(answer, 404) == {
            "query /cursor": "is not a cursor of this list, or no longer one; begin again without it"
        }


async def test_rules_that_do_not_hold_name_the_field(stored: Api) -> None:
    product = (await stored.client.post("/products", json=APPLE)).json()
    answer = await stored.client.post(f"/products/{product['id']}/restock", json={"pieces": 0})
    assert faults_of(answer) == {"body /pieces": "must be positive"}
    assert problem_of(answer, 422)["code"] == "LOOM-RULE"


async def test_a_taken_unique_value_is_a_conflict(stored: Api) -> None:
    assert (await stored.client.post("/products", json=APPLE)).status_code == 201
    answer = await stored.client.post("/products", json=APPLE)
    assert problem_of(answer, 409)["code"] == "LOOM-CONFLICT"
    assert list(faults_of(answer, 409)) == ["body /sku"]
    assert await rows(stored) == 1


async def test_a_load_that_finds_nothing_is_not_found(stored: Api) -> None:
    problem_of(await stored.client.post("/products/7/restock", json={"pieces": 1}), 404)


async def test_what_a_use_case_forbids_is_forbidden(api: Api) -> None:
    assert problem_of(await api.client.post("/products/purge"), 403)["detail"] == "nobody may remove everything"


async def test_a_path_that_does_not_exist(api: Api) -> None:
    for path in ("/nothing", "/products/1/2/3", "/", "/products//1"):
        assert problem_of(await api.client.get(path), 404)["code"] == "LOOM-REST-404"


async def test_a_slash_at_the_end_is_another_path_and_not_a_redirect(api: Api) -> None:
    problem_of(await api.client.get("/products/"), 404)


async def test_a_method_that_is_not_served_names_those_that_are(api: Api) -> None:
    answer = await api.client.put("/products/1", json=APPLE)
    assert problem_of(answer, 405)["code"] == "LOOM-REST-METHOD"
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


async def test_a_fault_of_the_program_tells_the_log_and_not_the_client(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="loom.rest"):
        answer = await api.client.get("/service/break", headers={"X-Correlation-ID": "trace-7"})
    assert problem_of(answer, 500)["detail"] == "the server failed to answer; its log has the reason"
    assert "hunter2" not in answer.text
    (record,) = caplog.records
    assert "hunter2" in caplog.text
    assert record.__dict__["correlation_id"] == "trace-7"


async def test_a_store_that_does_not_answer_is_unavailable(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    store = make_store("memory", tmp_path)
    assert isinstance(store, MemoryPersistence)
    async with serve(store) as api:
        store.faults.inject("commit", Unavailable("no route to db7.internal"))
        answer = await api.client.post("/products", json=APPLE)
        assert "db7" not in answer.text
        assert problem_of(answer, 503)["code"] == "LOOM-UNAVAILABLE"
        assert await rows(api) == 0
    assert "db7.internal" in caplog.text


async def test_a_client_that_goes_away_is_not_answered(api: Api) -> None:
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[object] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/products",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await api.app(scope, receive, send)
    assert sent == []
    assert await rows(api) == 0
