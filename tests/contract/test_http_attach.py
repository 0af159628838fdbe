"""Interfaces inside a FastAPI application that exists already: it stays what it was, and gains routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.testclient import TestClient

from loom.adapters.fastapi.health import Check
from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.system.clock import SystemClock
from loom.application.usecase.executor import Executor
from loom.domain.errors import Unavailable
from tests.contract.http_api import MODELS
from tests.unit.rest.rest_shop import NothingBound, compiled


class Product(BaseModel):
    """A class of the host application that has the name of one of ours."""

    title: str


class Stack:
    """A store and an executor over it, and a record of what was started and stopped."""

    def __init__(self) -> None:
        self.codec = JsonCodec()
        self.store = MemoryPersistence(codec=self.codec, clock=SystemClock())
        self.executor = Executor(persistence=self.store, resolver=NothingBound(), codec=self.codec, clock=SystemClock())
        self.events: list[str] = []

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        await self.store.start(MODELS)
        self.events.append("kernel up")
        yield
        await self.store.stop()
        self.events.append("kernel down")

    @asynccontextmanager
    async def host_lifespan(self, app: FastAPI) -> AsyncIterator[dict[str, str]]:
        self.events.append("host up")
        yield {"host": "state"}
        self.events.append("host down")


def host(stack: Stack) -> FastAPI:
    app = FastAPI(title="host", lifespan=stack.host_lifespan)

    @app.get("/mine")
    def mine() -> Product:
        return Product(title="mine")

    FastapiShell(FastapiSettings(), stack.codec).attach(app, compiled(), stack.executor, lifespan=stack.lifespan)
    return app


def served(stack: Stack, settings: FastapiSettings = FastapiSettings(), **checks: Check) -> FastAPI:
    return FastapiShell(settings, stack.codec).build(compiled(), stack.executor, lifespan=stack.lifespan, checks=checks)


def test_routes_of_both_are_served() -> None:
    with TestClient(host(Stack())) as client:
        assert client.get("/mine").json() == {"title": "mine"}
        assert client.get("/products").json() == {"items": [], "next_cursor": None}
        assert client.get("/products/7").headers["content-type"] == "application/problem+json"


def test_what_the_host_answers_itself_stays_as_it_was() -> None:
    with TestClient(host(Stack())) as client:
        assert client.get("/nothing").json() == {"detail": "Not Found"}


def test_the_kernel_is_up_before_the_host_and_down_after_it() -> None:
    stack = Stack()
    with TestClient(host(stack)) as client:
        client.get("/service/ping")
        assert client.app_state == {"host": "state"}
    assert stack.events == ["kernel up", "host up", "host down", "kernel down"]


def test_one_document_describes_both() -> None:
    document = TestClient(host(Stack())).get("/openapi.json").json()
    assert {"/mine", "/products", "/rates/{country}/{since}"} <= set(document["paths"])
    assert document["info"]["title"] == "host"
    schemas = document["components"]["schemas"]
    # Two classes of one name: the host's keeps it.
    assert list(schemas["Product"]["properties"]) == ["title"]
    assert "sku" in schemas["ProductOutput"]["properties"]


def test_readiness_asks_every_part() -> None:
    stack = Stack()
    broken = [True]

    async def database() -> None:
        if broken[0]:
            raise Unavailable("no route to db7.internal")

    with TestClient(served(stack, database=database)) as client:
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "LOOM-UNAVAILABLE")
        assert client.get("/health/live").status_code == 200
        broken[0] = False
        assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_documents_can_be_turned_off(path: str) -> None:
    with TestClient(served(Stack(), FastapiSettings(docs=False))) as client:
        assert client.get(path).status_code == 404


def test_cursors_of_one_secret_are_good_in_every_process() -> None:
    settings = FastapiSettings(cursor_secret="shared")
    with (
        TestClient(served(Stack(), settings)) as one,
        TestClient(served(Stack(), settings)) as two,
    ):
        for number in range(7):
            one.post("/products", json={"sku": f"S-{number}", "name": "x", "price": "1"})
        cursor = one.get("/products").json()["next_cursor"]
        assert two.get("/products", params={"cursor": cursor}).status_code == 200


def test_without_a_secret_cursors_die_with_the_process() -> None:
    with (
        TestClient(served(Stack())) as one,
        TestClient(served(Stack())) as two,
    ):
        for number in range(7):
            one.post("/products", json={"sku": f"S-{number}", "name": "x", "price": "1"})
        cursor = one.get("/products").json()["next_cursor"]
        assert two.get("/products", params={"cursor": cursor}).status_code == 404
