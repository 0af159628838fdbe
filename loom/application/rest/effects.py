"""Options of an interface that say how rows are read, where none of its routes reads any that way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from loom.application.compile import Issues
from loom.application.rest.declare import RestInterface
from loom.application.rest.plan import RoutePlan
from loom.domain.errors import Place


def _sorted(route: RoutePlan) -> bool:
    return route.page is not None and any(parameter.name == "sort" for parameter in route.page.parameters)


_READ: Final[Mapping[str, Callable[[RoutePlan], bool]]] = {
    "fields": lambda route: bool(route.reply.fields),
    "filters": lambda route: route.page is not None and bool(route.page.filters),
    "sorts": _sorted,
    "profiles": lambda route: bool(route.reply.answers),
}


def check_effects(cls: type[RestInterface[Any]], routes: Iterable[RoutePlan], where: Place, issues: Issues) -> None:
    """Record each option that no route of the interface looks at: a client could never use it."""
    served = list(routes)
    for option, reads in _READ.items():
        if getattr(cls, option) and not any(reads(route) for route in served):
            what = "list or get" if option in ("fields", "profiles") else "list"
            issues.add(
                "LOOM-REST-072",
                where,
                f"{cls.__name__}.{option} has no effect: none of its routes is a {what} that takes them",
                f"serve the generated {what}, or leave {option} out",
            )
