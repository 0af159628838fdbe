"""``FastapiShell``: serves compiled interfaces, in an application of its own or in one that exists."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import attrs
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from loom.adapters.fastapi.cors import add_cors
from loom.adapters.fastapi.deadlines import Deadlines
from loom.adapters.fastapi.dependencies import Dependencies
from loom.adapters.fastapi.direct import DirectApp
from loom.adapters.fastapi.documents import extend_openapi
from loom.adapters.fastapi.endpoint import Operation, Resource, Runtime, UseCaseOperation
from loom.adapters.fastapi.guard import Guards
from loom.adapters.fastapi.health import Check, Live, Ready
from loom.adapters.fastapi.http_errors import http_problem
from loom.adapters.fastapi.idempotent import Keys
from loom.adapters.fastapi.measured import Meter, MetricsPage, Refresh
from loom.adapters.fastapi.settings import FastapiSettings, RateLimit
from loom.adapters.fastapi.table import Entry, RouteTable
from loom.application.rest.cursor import Cursors
from loom.application.rest.paths import PathTemplate
from loom.application.rest.plan import InterfacePlan, RoutePlan
from loom.application.rest.rate_limit import TokenBuckets
from loom.application.rest.row_scope import claims_asked
from loom.application.usecase.application import Application
from loom.domain.errors import DeadlineExceeded, LoomError, TooManyRequests
from loom.ports.codec import Codec
from loom.ports.metrics import Metrics
from loom.ports.security import Authenticator, Authorizer

App: TypeAlias = FastAPI
Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Makes the context in which the application serves: entered before the first request, left after the last."""


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Surroundings:
    """What stands around the routes of an application.

    Attributes:
        authenticator: tells who calls.
        authorizer: tells whether they may.
        metrics: take the requests, and are shown at ``metrics_path``; ``None`` counts nothing and shows nothing.
        refresh: brings gauges up to date before they are shown.
    """

    authenticator: Authenticator | None = None
    authorizer: Authorizer | None = None
    metrics: Metrics | None = None
    metrics_path: str = "/metrics"
    refresh: Sequence[Refresh] = ()


@attrs.frozen(eq=False, repr=False)
class FastapiShell:
    """FastAPI is the shell that users know; the routes inside it are plain Starlette and run compiled plans."""

    settings: FastapiSettings
    codec: Codec

    def build(
        self,
        interfaces: Sequence[InterfacePlan],
        application: Application,
        *,
        lifespan: Lifespan | None = None,
        checks: Mapping[str, Check] | None = None,
        around: Surroundings = Surroundings(),
    ) -> App:
        """A FastAPI application that serves compiled interfaces, their documents and health.

        Args:
            interfaces: compiled, without issues.
            application: runs the use cases.
            lifespan: starts and stops what the application stands on.
            checks: parts that must be ready, by name.
            around: security and metrics.
        """
        app = DirectApp(
            title=self.settings.title,
            version=self.settings.version,
            description=self.settings.description,
            openapi_url="/openapi.json" if self.settings.docs else None,
            redirect_slashes=False,
            exception_handlers={HTTPException: http_problem},
        )
        app.serve_first(self._extend(app, interfaces, application, lifespan, checks, around))
        add_cors(app, self.settings.cors)
        return app

    def attach(
        self,
        app: App,
        interfaces: Sequence[InterfacePlan],
        application: Application,
        *,
        lifespan: Lifespan | None = None,
        checks: Mapping[str, Check] | None = None,
        around: Surroundings = Surroundings(),
    ) -> None:
        """Put compiled interfaces into an application that exists; see ``build``.

        Its own routes, middleware, lifespan and error handlers stay as they are, and routes that it has already win.
        Its OpenAPI document grows. Its dependencies (``FastAPI(dependencies=...)``) run before these routes too; health
        alone answers without, since those who look at it have no credentials.

        Raises:
            ConfigError: a dependency of the application reads the body of requests.
        """
        app.router.routes.append(
            self._extend(app, interfaces, application, lifespan, checks, around, Dependencies.of(app))
        )

    def _extend(
        self,
        app: App,
        interfaces: Sequence[InterfacePlan],
        application: Application,
        lifespan: Lifespan | None,
        checks: Mapping[str, Check] | None,
        around: Surroundings,
        dependencies: Dependencies | None = None,
    ) -> RouteTable:
        """The routes; documents and lifespan of the application have theirs already."""
        guards = self._guards(around)
        entries = self._resources(interfaces, application, guards, around.metrics)
        if around.metrics is not None:
            page = MetricsPage(around.metrics, around.refresh)
            entries.append((PathTemplate(around.metrics_path), Resource({"GET": page})))
        if dependencies is not None:
            entries = [(path, dependencies.before(entry)) for path, entry in entries]
        describe = None if dependencies is None else dependencies.describe
        extend_openapi(app, interfaces, scheme=guards.scheme, answers=_answers(guards), describe=describe)
        if lifespan is not None:
            _extend_lifespan(app, lifespan)
        return RouteTable([*entries, *_health(checks or {})])

    def _guards(self, around: Surroundings) -> Guards:
        limit, timeout = self.settings.rate_limit, self.settings.request_timeout
        return Guards(
            authenticator=around.authenticator,
            authorizer=around.authorizer,
            buckets=None if limit is None else _buckets(limit),
            deadlines=None if timeout is None else Deadlines(timeout),
        )

    def _resources(
        self, interfaces: Sequence[InterfacePlan], application: Application, guards: Guards, metrics: Metrics | None
    ) -> list[Entry]:
        # Of all routes, since own use cases may show rows of entities that only others have a scope for.
        claims = claims_asked(route.use_case.use_case for interface in interfaces for route in interface.routes)
        runtime = Runtime(
            application=application,
            codec=self.codec,
            cursors=Cursors(self.settings.cursor_secret.encode() or secrets.token_bytes(32)),
            max_body_bytes=self.settings.max_body_bytes,
            keys=Keys(application, self.settings.idempotency_lifetime, self.settings.idempotency_wait, claims),
            stall=self.settings.request_timeout,
        )
        by_shape: dict[str, list[RoutePlan]] = {}
        for interface in interfaces:
            for route in interface.routes:
                by_shape.setdefault(route.path.shape, []).append(route)
        return [(routes[0].path, _resource(routes, runtime, guards, metrics)) for routes in by_shape.values()]


def _resource(routes: Sequence[RoutePlan], runtime: Runtime, guards: Guards, metrics: Metrics | None) -> Resource:
    path = routes[0].path
    operations: dict[str, Operation] = {
        route.method: guards.before(UseCaseOperation(route, path.parameters, runtime), route) for route in routes
    }
    return Resource(operations, None if metrics is None else Meter(path.text, metrics))


def _buckets(limit: RateLimit) -> TokenBuckets:
    return TokenBuckets(limit.requests / limit.period, limit.burst or limit.requests)


def _answers(guards: Guards) -> list[type[LoomError]]:
    """What any operation may answer because of its guard."""
    found: list[type[LoomError]] = []
    if guards.deadlines is not None:
        found.append(DeadlineExceeded)
    if guards.buckets is not None:
        found.append(TooManyRequests)
    return found


def _health(checks: Mapping[str, Check]) -> list[Entry]:
    return [
        (PathTemplate("/health/live"), Resource({"GET": Live()})),
        (PathTemplate("/health/ready"), Resource({"GET": Ready(dict(checks))})),
    ]


def _extend_lifespan(app: App, lifespan: Lifespan) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def outer(app: App) -> AsyncIterator[Any]:
        async with lifespan(), inner(app) as state:
            yield state

    app.router.lifespan_context = outer
