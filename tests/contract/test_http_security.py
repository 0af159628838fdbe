"""Who may call, over HTTP: 401 for the unknown, 403 for those who may not, and the document that says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loom.adapters.fastapi.settings import FastapiSettings, RateLimit
from tests.contract.http_api import make_store
from tests.contract.http_tenants import Tenants, as_, serve_tenants


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Tenants]:
    async with serve_tenants(make_store("memory", tmp_path)) as served:
        yield served


async def test_nobody_is_told_what_would_make_it_somebody(api: Tenants) -> None:
    answer = await api.client.get("/me/greet")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "LOOM-UNAUTHENTICATED"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bad_token_is_told_what_is_wrong_with_it(api: Tenants) -> None:
    answer = await api.client.get("/me/greet", headers=as_("mallory"))
    challenge = 'Bearer error="invalid_token", error_description="the token is not known"'
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)


async def test_a_public_route_knows_its_caller_but_needs_none(api: Tenants) -> None:
    assert (await api.client.get("/me/who")).json() == {"subject": None}
    assert (await api.client.get("/me/who", headers=as_("ann"))).json() == {"subject": "ann"}
    assert (await api.client.get("/me/who", headers=as_("mallory"))).status_code == 401


async def test_a_route_of_which_nothing_is_said_wants_a_known_caller(api: Tenants) -> None:
    assert (await api.client.get("/me/greet", headers=as_("bob"))).json() == "hello bob"


async def test_who_lacks_a_grant_is_told_which_are_needed(api: Tenants) -> None:
    answer = await api.client.get("/me/admin", headers=as_("ann"))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="admin drafts:use"'
    assert answer.json()["detail"] == "WhoAmI requires admin"
    assert (await api.client.get("/me/admin", headers=as_("root"))).status_code == 200


async def test_a_body_is_not_read_before_its_sender_is_admitted(api: Tenants) -> None:
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"{}"

    answer = await api.client.post("/notes", content=body(), headers={"content-type": "application/json"})
    assert answer.status_code == 401
    assert read == []


async def test_what_is_not_an_operation_asks_for_nobody(api: Tenants) -> None:
    assert (await api.client.get("/health/live")).status_code == 200
    assert (await api.client.options("/me/greet")).status_code == 204
    assert (await api.client.delete("/me/greet")).status_code == 405
    assert (await api.client.get("/me/nothing")).status_code == 404


async def test_the_document_says_who_may_call(api: Tenants) -> None:
    document = (await api.client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}
    paths = document["paths"]
    assert paths["/me/who"]["get"]["security"] == [{}, {"bearer": []}]
    assert paths["/me/greet"]["get"]["security"] == [{"bearer": []}]
    assert paths["/me/admin"]["get"]["security"] == [{"bearer": ["admin", "drafts:use"]}]
    assert {"401", "403"} <= set(paths["/me/greet"]["get"]["responses"])
    assert "403" not in paths["/me/who"]["get"]["responses"]
    assert "security" not in paths["/health/live"]["get"]


async def test_more_than_the_limit_is_answered_429(tmp_path: Path) -> None:
    settings = FastapiSettings(rate_limit=RateLimit(requests=2, period=3600))
    async with serve_tenants(make_store("memory", tmp_path), settings) as api:
        answers = [await api.client.get("/me/greet", headers=as_("ann")) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 1800
        assert answers[2].json()["code"] == "LOOM-RATE-LIMIT"
        # Others go on: each subject, and each address of those who are unknown.
        assert (await api.client.get("/me/greet", headers=as_("bob"))).status_code == 200
        tries = [(await api.client.get("/me/greet", headers=as_(f"guess{n}"))).status_code for n in range(4)]
        assert tries == [401, 401, 429, 429]
        assert (await api.client.get("/health/live")).status_code == 200
        responses = (await api.client.get("/openapi.json")).json()["paths"]["/me/greet"]["get"]["responses"]
        assert "429" in responses
