"""The OpenAPI document of an application, with the interfaces in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.application.rest.plan import InterfacePlan
from loom.domain.errors import LoomError
from loom.ports.security import SecurityScheme


def extend_openapi(
    app: FastAPI,
    interfaces: Sequence[InterfacePlan],
    *,
    scheme: SecurityScheme | None = None,
    answers: Sequence[type[LoomError]] = (),
    describe: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None,
) -> None:
    """Let ``app.openapi()`` describe the interfaces beside what it describes already; see ``openapi_document``.

    ``describe`` adds what the application itself asks for before each of these routes.
    """
    original = app.openapi
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        base = original()
        if not made:
            taken = base.get("components", {}).get("schemas", {})
            info = ApiInfo(title=app.title, version=app.version)
            ours = openapi_document(interfaces, info, reserved=taken, scheme=scheme, answers=answers)
            made.update(ours if describe is None else describe(ours))
        return _merged(base, made)

    app.openapi = openapi  # type: ignore[method-assign]


def _merged(base: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    components = base.get("components", {})
    return {
        **base,
        "tags": [*base.get("tags", ()), *ours["tags"]],
        "paths": {**ours["paths"], **base["paths"]},
        "components": {
            **components,
            **{name: {**components.get(name, {}), **found} for name, found in ours["components"].items()},
        },
    }
