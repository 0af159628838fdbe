"""Interfaces inside an application whose dependencies guard all of its routes: they guard these as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Body, Depends, FastAPI, Header, HTTPException, Query
from fastapi.security import APIKeyHeader
from starlette.testclient import TestClient

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.domain.errors import ConfigError
from tests.contract.test_http_attach import Stack
from tests.unit.rest.rest_shop import compiled

PEN = {"sku": "PEN", "name": "Pen", "price": "1"}
TOLD: list[str] = []


def signed_in(x_token: Annotated[str, Header()] = "") -> None:
    if x_token != "secret":
        raise HTTPException(401, "who are you?", headers={"WWW-Authenticate": "Token"})


async def opened(tasks: BackgroundTasks) -> AsyncIterator[None]:
    TOLD.append("opened")
    tasks.add_task(TOLD.append, "told later")
    yield
    TOLD.append("closed")


def region(region: Annotated[int, Query(ge=1)]) -> int:
    return region


def reads_the_body(text: Annotated[str, Body()]) -> str:
    return text


def mounted(*dependencies: Any) -> TestClient:
    stack = Stack()
    app = FastAPI(dependencies=[Depends(each) for each in dependencies], lifespan=stack.host_lifespan)

    @app.get("/mine")
    def mine() -> str:
        return "mine"

    FastapiShell(FastapiSettings(), stack.codec).attach(app, compiled(), stack.executor, lifespan=stack.lifespan)
    return TestClient(app)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/products"),
        ("POST", "/products"),
        ("GET", "/products/1"),
        ("PATCH", "/products/1"),
        ("DELETE", "/products/1"),
        ("GET", "/service/ping"),
        ("PUT", "/products"),
    ],
)
def test_a_guard_of_the_application_guards_every_route(method: str, path: str) -> None:
    with mounted(signed_in) as client:
        mine = client.get("/mine")
        answer = client.request(method, path, json=PEN if method == "POST" else None)
        assert (
            (answer.status_code, answer.json()) == (mine.status_code, mine.json()) == (401, {"detail": "who are you?"})
        )
        assert answer.headers["www-authenticate"] == "Token"
        assert client.get("/products", headers={"x-token": "secret"}).json()["items"] == []


def test_what_the_application_puts_in_the_place_of_a_guard_guards_as_well() -> None:
    """A library's open guard is closed by ``dependency_overrides``, and a test opens a closed one."""
    with mounted(region) as client:
        client.app.dependency_overrides[region] = signed_in  # type: ignore[attr-defined]  # FastAPI has them
        assert client.get("/mine").status_code == 401
        assert client.get("/products").status_code == 401
        assert client.post("/products", json=PEN).status_code == 401
        assert client.get("/products", headers={"x-token": "secret"}).json()["items"] == []


def test_who_passes_is_served_as_without_a_guard() -> None:
    with mounted(signed_in) as client:
        client.headers["x-token"] = "secret"
        made = client.post("/products", json=PEN)
        assert made.status_code == 201
        assert client.get(made.headers["location"]).json()["sku"] == "PEN"
        assert client.patch(made.headers["location"], json={"name": "Pencil"}).json()["name"] == "Pencil"
        assert client.get("/products/99").json()["code"] == "LOOM-NOT-FOUND"
        assert client.delete(made.headers["location"]).status_code == 204


def test_health_is_seen_without_credentials() -> None:
    with mounted(signed_in) as client:
        assert [client.get(f"/health/{name}").status_code for name in ("live", "ready")] == [200, 200]


def test_what_a_dependency_opens_is_closed_behind_the_answer() -> None:
    TOLD.clear()
    with mounted(opened) as client:
        assert client.post("/products", json=PEN).status_code == 201
    assert sorted(TOLD) == ["closed", "opened", "told later"]


def test_a_query_parameter_of_a_dependency_is_no_unknown_one_of_the_route() -> None:
    with mounted(region) as client:
        assert client.get("/products", params={"region": 7, "limit": 1}).status_code == 200
        assert client.get("/products", params={"region": 0}).status_code == 422
        assert client.get("/products", params={"region": 7, "regoin": 7}).json()["code"] == "LOOM-INPUT"


def test_the_document_tells_what_is_asked_for() -> None:
    with mounted(signed_in, region, APIKeyHeader(name="x-key")) as client:
        document = client.get("/openapi.json").json()
    operation = document["paths"]["/products"]["get"]
    assert {"x-token", "region", "limit"} <= {each["name"] for each in operation["parameters"]}
    assert operation["security"] == [{"APIKeyHeader": []}]
    assert document["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "x-key"
    assert {"application/json", "application/problem+json"} <= set(operation["responses"]["422"]["content"])


def test_a_dependency_that_reads_the_body_is_refused() -> None:
    with pytest.raises(ConfigError, match="LOOM-REST-022"):
        mounted(reads_the_body)
