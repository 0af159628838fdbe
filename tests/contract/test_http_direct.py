"""Requests of compiled routes go straight to them, except where somebody has put something in between."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import attrs
import pytest
from fastapi import FastAPI
from opentelemetry.trace import NoOpTracerProvider
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from loom.config.kernel import Kernel
from loom.rest import app_of, mount
from tests.unit.rest import rest_shop

PRODUCT = {"sku": "A-1", "name": "Apple", "price": "1.20"}
ORIGIN = {"origin": "https://shop.example"}
# FastAPI's own stack leaves this behind; a request that went around it has none.
MARK = "starlette.exception_handlers"


@attrs.frozen
class Watched:
    """An application, and the scopes of the requests that it has answered."""

    app: ASGIApp
    scopes: list[Scope] = attrs.field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.scopes.append(scope)
        await self.app(scope, receive, send)

    @property
    def direct(self) -> list[bool]:
        return [MARK not in scope for scope in self.scopes]


def shop(**overrides: Any) -> FastAPI:
    lines = [f"{name.replace('__', '.')}={value}" for name, value in overrides.items()]
    return app_of(Kernel.from_yaml(modules=[rest_shop], overrides=lines))


@contextmanager
def served(app: FastAPI) -> Iterator[tuple[TestClient, Watched]]:
    watched = Watched(app)
    with TestClient(watched) as client:
        yield client, watched


def test_compiled_routes_are_reached_directly_and_others_by_the_whole_stack() -> None:
    app = shop()

    @app.get("/mine")
    def mine() -> str:
        return "mine"

    with served(app) as (client, watched):
        location = client.post("/products", json=PRODUCT).headers["location"]
        assert client.get(location).json()["name"] == "Apple"
        assert watched.direct == [True, True]
        scope = watched.scopes[1]
        assert (scope["app"], scope["route"].path, scope["path_params"]) == (app, "/products/{id}", {"id": "1"})
        assert client.get("/mine").json() == "mine"
        assert client.get("/openapi.json").json()["paths"].keys() >= {"/products/{id}", "/mine"}
        nothing = client.get("/nothing", headers={"traceparent": f"00-{7:032x}-{7:016x}-01"})
        assert nothing.json()["code"] == "LOOM-REST-404"
        assert nothing.json()["correlation_id"] == f"{7:032x}"
        assert nothing.headers["traceparent"].startswith(f"00-{7:032x}-")
        assert watched.direct[2:] == [False] * 3


def test_methods_of_a_path_are_told_apart() -> None:
    with served(shop()) as (client, watched):
        assert client.head("/service/ping").status_code == 200
        assert client.options("/service/ping").headers["allow"] == "GET, HEAD, OPTIONS"
        refused = client.delete("/service/ping")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert client.get("/service/ping/").status_code == 404
        assert client.get("/service/p%69ng").json() == "pong"
        assert watched.direct == [True, True, True, False, True]


def test_an_unexpected_error_is_a_problem_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with served(shop()) as (client, watched), caplog.at_level(logging.ERROR):
        answer = client.get("/service/break")
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert watched.direct == [True]
    assert [record.name for record in caplog.records if record.levelno >= logging.ERROR] == ["loom.rest"]


def test_middleware_of_the_users_own_runs_around_compiled_routes() -> None:
    app = shop()

    @app.middleware("http")
    async def stamped(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call_next(request)
        answer.headers["x-stamp"] = request.scope["route"].path
        return answer

    with served(app) as (client, watched):
        assert client.get("/products").headers["x-stamp"] == "/products"
        assert client.get("/products/9").headers["x-stamp"] == "/products/{id}"
        assert watched.direct == [False, False]


def test_instruments_that_wrap_the_stack_see_compiled_routes() -> None:
    app, seen = shop(), []
    build = app.build_middleware_stack

    def wrapped(self: FastAPI) -> ASGIApp:
        inner = build()

        async def instrument(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope.get("path"))
            await inner(scope, receive, send)

        return instrument

    app.build_middleware_stack = MethodType(wrapped, app)  # type: ignore[method-assign]
    with TestClient(app) as client:
        assert client.get("/service/ping").json() == "pong"
    assert "/service/ping" in seen


def test_a_tracer_of_fastapi_is_told_of_compiled_routes() -> None:
    app = shop()
    app._native_telemetry.config["tracer_provider"] = NoOpTracerProvider()
    with served(app) as (client, watched):
        assert client.get("/service/ping").json() == "pong"
        assert watched.direct == [False]


def test_who_handles_every_exception_stays_in_between() -> None:
    app = shop()

    @app.exception_handler(Exception)
    async def told(request: Request, error: Exception) -> Response:
        return PlainTextResponse("told", 500)

    with served(app) as (client, watched):
        assert client.get("/service/ping").json() == "pong"
        assert watched.direct == [False]


def test_a_route_that_was_put_first_wins() -> None:
    app = shop()

    async def mine(request: Request) -> Response:
        return PlainTextResponse("mine")

    app.router.routes.insert(0, Route("/service/ping", mine))
    with TestClient(app) as client:
        assert client.get("/service/ping").text == "mine"
        assert client.get("/products").status_code == 200


def test_other_origins_are_allowed_without_a_detour() -> None:
    with served(shop(rest__cors__origins="[https://shop.example]")) as (client, watched):
        asked = {**ORIGIN, "access-control-request-method": "PUT"}
        assert client.options("/products/1", headers=asked).status_code == 200
        assert client.get("/products", headers=ORIGIN).headers["access-control-allow-origin"] == ORIGIN["origin"]
        # An error of the server can be read by the page as well.
        broken = client.get("/service/break", headers=ORIGIN)
        assert (broken.status_code, broken.headers["access-control-allow-origin"]) == (500, ORIGIN["origin"])
        assert "access-control-allow-origin" not in client.get("/products").headers
        assert watched.direct == [True] * 4
        missing = client.get("/nothing", headers=ORIGIN)
        assert (missing.status_code, missing.headers["access-control-allow-origin"]) == (404, ORIGIN["origin"])


@pytest.mark.parametrize("mounted", [False, True])
def test_paths_are_those_below_the_root(mounted: bool) -> None:
    inner = shop()
    if mounted:
        app = FastAPI(lifespan=inner.router.lifespan_context)
        app.mount("/api", inner)
    else:
        app, inner.root_path = inner, "/api"
    with served(app) as (client, watched):
        created = client.post("/api/products", json=PRODUCT)
        assert created.headers["location"] == "/api/products/1"
        assert client.get("/api/products/1").json()["name"] == "Apple"
        assert client.get("/api/nothing").status_code == 404
        assert watched.scopes[0]["root_path"] == "/api"


def test_a_kernel_mounted_in_a_host_stays_behind_its_middleware() -> None:
    app = FastAPI()

    @app.middleware("http")
    async def closed(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return PlainTextResponse("closed", 503) if request.url.path == "/products" else await call_next(request)

    mount(app, Kernel.from_yaml(modules=[rest_shop]))
    with served(app) as (client, watched):
        assert client.get("/products").text == "closed"
        assert client.get("/service/ping").json() == "pong"
        assert watched.direct == [True, False]


def test_requests_are_counted_by_their_path_and_status() -> None:
    with served(shop(observability__metrics__enabled="true")) as (client, watched):
        client.get("/service/ping")
        client.get("/service/break")
        client.get("/products/77")
        lines = client.get("/metrics").text.splitlines()
        assert watched.direct == [True] * 4
    counted = sorted(line for line in lines if line.startswith("http_requests_total"))
    assert counted == [
        'http_requests_total{method="GET",route="/products/{id}",status="404"} 1.0',
        'http_requests_total{method="GET",route="/service/break",status="500"} 1.0',
        'http_requests_total{method="GET",route="/service/ping",status="200"} 1.0',
    ]
    assert "http_requests_in_flight 0.0" in lines
