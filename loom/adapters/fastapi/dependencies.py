"""The dependencies of the application that interfaces are mounted into: ``FastAPI(dependencies=[Depends(guard)])``.

FastAPI runs them before each of its own routes. Ours are none of those, so that a route of FastAPI's asks them first
and hands the request on: whatever they raise, yield or add to the background is handled as everywhere else there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import attrs
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from loom.domain.errors import ConfigError, Issue, Place

_BEHIND: Final = "loom.behind_dependencies"


@attrs.frozen(eq=False, repr=False)
class Dependencies:
    """What an application asks for before any of its routes.

    Attributes:
        route: runs the dependencies.
        described: its operation in the OpenAPI document, and the components that it refers to.
        components: of the document.
        query: the parameters of the query string that they read; our own readers refuse what they do not know.
    """

    route: APIRoute
    described: Mapping[str, Any]
    components: Mapping[str, Any]
    query: frozenset[str]

    @classmethod
    def of(cls, app: FastAPI) -> Dependencies | None:
        """The dependencies of an application; ``None`` where it has none.

        Raises:
            ConfigError: one of them reads the body of the request, which is read once, by the route.
        """
        if not app.router.dependencies:
            return None
        route = APIRoute("/", _pass_on, dependencies=app.router.dependencies, dependency_overrides_provider=app)
        if route.body_field is not None:
            message = "a dependency of the application reads the body of requests, which the mounted routes read"
            remedy = "let it read headers, cookies or the query string, or give it to the routes that need it"
            place = Place(name="mount(app, kernel)")
            raise ConfigError([Issue(code="LOOM-REST-022", where=place, message=message, remedy=remedy)])
        document = get_openapi(title="", version="", routes=[route])
        described = document["paths"]["/"]["get"]
        names = {each["name"] for each in described.get("parameters", ()) if each["in"] == "query"}
        return cls(route, described, document.get("components", {}), frozenset(names))

    def before(self, app: ASGIApp) -> ASGIApp:
        """An application that is asked after the dependencies."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            await self.route.app({**scope, _BEHIND: self._without_theirs(app)}, receive, send)

        return guarded

    def describe(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A document of our routes with what the dependencies take and answer."""
        paths = {
            path: {method: self._operation(operation) for method, operation in operations.items()}
            for path, operations in document["paths"].items()
        }
        components = {
            name: {**document["components"].get(name, {}), **self.components.get(name, {})}
            for name in {**document["components"], **self.components}
        }
        return {**document, "paths": paths, "components": components}

    def _without_theirs(self, app: ASGIApp) -> ASGIApp:
        if not self.query:
            return app

        async def ours(scope: Scope, receive: Receive, send: Send) -> None:
            kept = [
                part
                for part in scope["query_string"].split(b"&")
                if unquote_plus(part.partition(b"=")[0].decode("latin-1")) not in self.query
            ]
            await app({**scope, "query_string": b"&".join(kept)}, receive, send)

        return ours

    def _operation(self, ours: dict[str, Any]) -> dict[str, Any]:
        made = dict(ours)
        if self.described.get("parameters"):
            made["parameters"] = [*ours.get("parameters", ()), *self.described["parameters"]]
        if self.described.get("security"):
            # All that they ask for, and one of what we ask for.
            both = [{**theirs, **own} for theirs in self.described["security"] for own in ours.get("security", [{}])]
            made["security"] = both
        refused = self.described["responses"].get("422")
        if refused is not None:
            own = ours["responses"].get("422", refused)
            content = {**refused["content"], **own.get("content", {})}
            made["responses"] = {**ours["responses"], "422": {**own, "content": content}}
        return made


class _Behind(Response):
    """Answers with what the application behind the dependencies answers."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._request.scope[_BEHIND](scope, receive, send)
        if self.background is not None:
            await self.background()


async def _pass_on(request: Request) -> Response:
    return _Behind(request)
