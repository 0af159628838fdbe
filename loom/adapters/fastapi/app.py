"""``build_app`` and ``attach``: compiled interfaces inside a FastAPI application."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from loom.adapters.fastapi.answer import problem_answer
from loom.adapters.fastapi.endpoint import Operation, Resource, Runtime, UseCaseOperation
from loom.adapters.fastapi.health import Check, Live, Ready
from loom.adapters.fastapi.request import context_of
from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.table import RouteTable
from loom.application.rest.cursor import Cursors
from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.application.rest.paths import PathTemplate
from loom.application.rest.plan import InterfacePlan, RoutePlan
from loom.application.rest.problems import problem
from loom.application.usecase.application import Application
from loom.domain.context import CORRELATION_HEADER
from loom.ports.codec import Codec

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
"""Makes the context in which the application serves: entered before the first request, left after the last."""


def build_app(
    interfaces: Sequence[InterfacePlan],
    application: Application,
    codec: Codec,
    settings: FastapiSettings = FastapiSettings(),
    *,
    lifespan: Lifespan | None = None,
    checks: Mapping[str, Check] | None = None,
) -> FastAPI:
    """A FastAPI application that serves compiled interfaces, their documents and health.

    Args:
        interfaces: compiled, without issues.
        application: runs the use cases.
        codec: reads and writes bodies.
        settings: see ``FastapiSettings``.
        lifespan: starts and stops what the application stands on.
        checks: parts that must be ready, by name.
    """
    app = FastAPI(
        title=settings.title,
        version=settings.version,
        description=settings.description,
        openapi_url="/openapi.json" if settings.docs else None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _http_problem},
    )
    attach(app, interfaces, application, codec, settings, lifespan=lifespan, checks=checks)
    # The hot paths are tried before those of the documents.
    app.router.routes.insert(0, app.router.routes.pop())
    return app


def attach(
    app: FastAPI,
    interfaces: Sequence[InterfacePlan],
    application: Application,
    codec: Codec,
    settings: FastapiSettings = FastapiSettings(),
    *,
    lifespan: Lifespan | None = None,
    checks: Mapping[str, Check] | None = None,
) -> None:
    """Put compiled interfaces into an application that exists; see ``build_app``.

    Its own routes, middleware, lifespan and error handlers stay as they are, and routes that it has already win. Its
    OpenAPI document grows.
    """
    secret = settings.cursor_secret.encode() or secrets.token_bytes(32)
    runtime = Runtime(
        application=application,
        codec=codec,
        cursors=Cursors(secret, codec),
        max_body_bytes=settings.max_body_bytes,
    )
    health: list[tuple[PathTemplate, ASGIApp]] = [
        (PathTemplate("/health/live"), Resource({"GET": Live()})),
        (PathTemplate("/health/ready"), Resource({"GET": Ready(dict(checks or {}))})),
    ]
    app.router.routes.append(RouteTable([*_resources(interfaces, runtime), *health]))
    _extend_openapi(app, interfaces)
    if lifespan is not None:
        _extend_lifespan(app, lifespan)


def _resources(interfaces: Sequence[InterfacePlan], runtime: Runtime) -> list[tuple[PathTemplate, ASGIApp]]:
    by_shape: dict[str, list[RoutePlan]] = {}
    for interface in interfaces:
        for route in interface.routes:
            by_shape.setdefault(route.path.shape, []).append(route)
    return [(routes[0].path, _resource(routes, runtime)) for routes in by_shape.values()]


def _resource(routes: Sequence[RoutePlan], runtime: Runtime) -> Resource:
    names = routes[0].path.parameters
    operations: dict[str, Operation] = {route.method: UseCaseOperation(route, names, runtime) for route in routes}
    return Resource(operations)


def _extend_openapi(app: FastAPI, interfaces: Sequence[InterfacePlan]) -> None:
    original = app.openapi
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        base = original()
        if not made:
            taken = base.get("components", {}).get("schemas", {})
            made.update(openapi_document(interfaces, ApiInfo(title=app.title, version=app.version), reserved=taken))
        return _merged(base, made)

    app.openapi = openapi  # type: ignore[method-assign]


def _merged(base: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    components = base.get("components", {})
    return {
        **base,
        "tags": [*base.get("tags", ()), *ours["tags"]],
        "paths": {**base["paths"], **ours["paths"]},
        "components": {
            **components,
            **{name: {**components.get(name, {}), **found} for name, found in ours["components"].items()},
        },
    }


def _extend_lifespan(app: FastAPI, lifespan: Lifespan) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def outer(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(), inner(app) as state:
            yield state

    app.router.lifespan_context = outer


async def _http_problem(request: Request, error: Exception) -> Response:
    """What Starlette itself answers (no such route, method not served), in the one shape that problems have."""
    correlation_id = context_of(request.scope).correlation_id
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = f"{request.method} {request.url.path} does not exist" if status == 404 else str(error)
    answer = problem_answer(problem(status, detail, code=f"LOOM-REST-{status}", correlation_id=correlation_id))
    response = Response(answer.body, status, dict(getattr(error, "headers", None) or {}))
    response.headers["content-type"] = "application/problem+json"
    response.headers[CORRELATION_HEADER] = correlation_id
    return response
