"""One route that holds all paths: finding an address costs the same however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import attrs
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from loom.application.rest.paths import PathTemplate

Entry: TypeAlias = tuple[PathTemplate, ASGIApp]
Found: TypeAlias = tuple[Route, dict[str, str]]
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_NOTHING: Final[tuple[Match, dict[str, Any]]] = (Match.NONE, {})


@attrs.define(eq=False, repr=False)
class _Node:
    """Where a path may go on: to fixed segments by their text, or to a parameter."""

    fixed: dict[str, _Node] = attrs.field(factory=dict)
    parameter: _Node | None = None
    leaf: tuple[Route, tuple[str, ...]] | None = None


class RouteTable(BaseRoute):
    """Finds the application of a path. Methods are the affair of the applications.

    Fixed segments win over parameters. ``scope["route"]`` is a plain Starlette route with the path's template, for
    middleware that counts requests by it.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._fixed: dict[str, Route] = {}
        self._root = _Node()
        self.routes: list[Route] = []
        for template, app in entries:
            route = Route(template.text, app)
            self.routes.append(route)
            if template.parameters:
                self._insert(template, route)
            else:
                self._fixed[template.text] = route

    def find(self, scope: Scope) -> Found | None:
        """The route of a request and the parameters in its path; ``None`` where the path is none of ours."""
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root:
            rest = path[len(root) :]
            # "/apis" is not below "/api".
            if path.startswith(root) and (not rest or rest[0] == "/"):
                path = rest
            else:
                root = ""
        route = self._fixed.get(path)
        if route is not None:
            return route, {}
        values: list[str] = []
        leaf = _find(self._root, _segments(scope, path, root), 0, values)
        if leaf is None:
            return None
        route, names = leaf
        return route, dict(zip(names, values, strict=True))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See ``BaseRoute``."""
        found = self.find(scope) if scope["type"] == "http" else None
        if found is None:
            return _NOTHING
        route, given = found
        return Match.FULL, {"endpoint": route.endpoint, "path_params": given, "route": route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ``BaseRoute``."""
        await scope["endpoint"](scope, receive, send)

    def _insert(self, template: PathTemplate, route: Route) -> None:
        node = self._root
        for segment in template.segments:
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.fixed.setdefault(segment, _Node())
        node.leaf = (route, template.parameters)


def _segments(scope: Scope, path: str, root: str) -> list[str]:
    """The segments of a path.

    Only its undecoded form tells a slash in a segment from a separator, and says whether it was UTF-8: servers put a
    character in the place of bytes that are not. Here such bytes are lone surrogates, which no reader takes.
    """
    raw: bytes = scope.get("raw_path") or b""
    if b"%" not in raw or (b"%2F" not in raw and b"%2f" not in raw and _REPLACEMENT not in path):
        return path.split("/")[1:]
    text = raw.partition(b"?")[0].decode("latin-1")
    segments = [unquote(each, errors="surrogateescape") for each in text.split("/")]
    return segments[1 + root.count("/") :]


def _find(node: _Node, segments: list[str], at: int, values: list[str]) -> tuple[Route, tuple[str, ...]] | None:
    held = len(values)
    while at < len(segments):
        segment = segments[at]
        at += 1
        fixed = node.fixed.get(segment)
        if fixed is not None:
            if node.parameter is None:
                node = fixed
                continue
            # Both may lead on: the parameter is tried where the fixed branch, which takes back its values, does not.
            found = _find(fixed, segments, at, values)
            if found is not None:
                return found
        if node.parameter is None or not segment:
            del values[held:]
            return None
        values.append(segment)
        node = node.parameter
    if node.leaf is None:
        del values[held:]
    return node.leaf
