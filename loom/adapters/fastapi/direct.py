"""A FastAPI application whose compiled routes are reached without a detour.

What stands around the routes of an application (error pages, body limits, exit stacks, telemetry) costs more than a
small request itself, and the compiled routes need none of it: they answer every error themselves. So where nobody has
put anything of their own there, a request goes from the server straight to its resource. Whether it may is decided
with the first request, because middleware and telemetry are set up before it.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from loom.adapters.fastapi.table import RouteTable

_CORS: Any = CORSMiddleware


class DirectApp(FastAPI):
    """FastAPI, with a table of routes that are tried first; ``serve_first`` gives it, before the first request."""

    _table: RouteTable | None = None
    _direct: RouteTable | None = None
    _cors: ASGIApp | None = None
    _bare: ASGIApp | None = None
    _decided_for: ASGIApp | None = None

    def serve_first(self, table: RouteTable) -> None:
        """Try these routes before all others, also before those that come later."""
        self._table = table
        self.router.routes.insert(0, table)

    def build_middleware_stack(self) -> ASGIApp:
        """The stack of FastAPI; see there."""
        stack = super().build_middleware_stack()
        # Who wraps what this returns, as instruments do, gives the application another stack than this one.
        self._bare = stack if all(each.cls is _CORS for each in self.user_middleware) else None
        return stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            if self._decided_for is None or self._decided_for is not self.middleware_stack:
                self._decide()
            if self._direct is not None:
                if self.root_path:
                    scope["root_path"] = self.root_path
                found = self._direct.find(scope)
                if found is not None:
                    route, scope["path_params"] = found
                    scope["app"] = self
                    scope["route"] = route
                    scope["endpoint"] = route.endpoint
                    await (self._cors or route.endpoint)(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)

    def _decide(self) -> None:
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        self._decided_for = self.middleware_stack
        self._direct = self._table if self._unattended() else None
        self._cors = None
        for each in reversed(self.user_middleware if self._direct is not None else ()):
            # It keeps nothing between requests, so that a second one of the same settings is as good as the first.
            self._cors = each.cls(self._cors or _endpoint, *each.args, **each.kwargs)

    def _unattended(self) -> bool:
        """Whether nothing but FastAPI's own and CORS stands between the server and the table."""
        return (
            self.middleware_stack is self._bare
            and self.router.routes[0] is self._table
            and self.max_body_size is None
            # It is told of streamed answers that break off.
            and not {500, Exception} & self.exception_handlers.keys()
            and not _telemetry(self)
        )


async def _endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    await scope["endpoint"](scope, receive, send)


def _telemetry(app: Any) -> bool:
    return bool(app._native_telemetry.enabled())
