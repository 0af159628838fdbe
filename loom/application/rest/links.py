"""Links of the OpenAPI document: what can be done with a row that was just created, and where its key stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loom.application.rest.paths import keys_below
from loom.application.rest.plan import RoutePlan
from loom.domain.model import schema_of

_METHODS = ("get", "patch", "delete")


def add_links(paths: Mapping[str, Mapping[str, Any]], routes: Iterable[RoutePlan], named: Mapping[str, str]) -> None:
    """Add a link to the answer of each route that says where its new row is, for each operation on one row.

    Args:
        paths: the operations by path and method; the answers in it grow.
        routes: what they were made from.
        named: the text of each path in the document, by its shape.
    """
    for route in routes:
        if route.reply.location is None:
            continue
        own = named[route.path.shape]
        keys = keys_below(schema_of(route.reply.type), own)
        target = named.get(route.path.shape + "/{}" * len(keys))
        if target is None:
            continue
        places = [f"$request.path.{name}" for name in _parameters(own)] + [f"$response.body#/{name}" for name in keys]
        parameters = dict(zip(_parameters(target), places, strict=True))
        operations = [paths[target][method] for method in _METHODS if method in paths[target]]
        answer = paths[own][route.method.lower()]["responses"][str(route.reply.status)]
        answer["links"] = {
            each["operationId"]: {"operationId": each["operationId"], "parameters": parameters} for each in operations
        }


def _parameters(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
