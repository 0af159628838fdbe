"""The routes of compiled interfaces as text, the generated ones spelt out as if they had been written by hand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from loom.application.rest.plan import Access, InterfacePlan, RoutePlan
from loom.application.usecase.plan import ParamPlan

_MODULES = re.compile(r"([\w<>]+\.)+")


def routes_text(interfaces: Sequence[InterfacePlan], *, secured: bool = False) -> str:
    """One line for each route: method, path, status, the signature of the use case behind it, and who may call.

    ``secured``: callers can be known, so that a route of which nothing is said wants to know them.
    """
    rows = [
        (route.method, route.path.text, str(route.reply.status), _call(route) + _access(route.access, secured))
        for plan in interfaces
        for route in plan.routes
    ]
    widths = [max((len(row[index]) for row in rows), default=0) for index in range(3)]
    return "".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]) + "\n"
        for row in rows
    )


def _call(route: RoutePlan) -> str:
    parameters = ", ".join(
        _parameter(param) for param in route.use_case.params if param.source == "command" or param.given
    )
    note = "  (generated)" if route.generated else ""
    return f"{route.use_case.name}({parameters}) -> {_type(route.use_case.result)}{note}"


def _access(access: Access, secured: bool) -> str:
    if access.public:
        return "  (public)"
    if access.requires:
        return f"  (requires {', '.join(access.requires)})"
    return "  (known callers)" if secured or access.stated else ""


def _parameter(param: ParamPlan) -> str:
    return f"{param.name}: {_type(param.annotation)}"


def _type(annotation: Any) -> str:
    if annotation is type(None):
        return "None"
    # Page[shop.products.Product]: where a class stands is not what a reader of routes looks for.
    return _MODULES.sub("", inspect.formatannotation(annotation))
