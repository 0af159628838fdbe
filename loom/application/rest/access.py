"""Who may call a route, as a declaration says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from loom.application.compile import Issues
from loom.application.rest.declare import RestInterface, RestRoute
from loom.application.rest.plan import Access, InterfacePlan
from loom.application.rest.row_scope import is_scoped, wants_caller
from loom.application.usecase.plan import UseCasePlan
from loom.domain.errors import Forbidden, LoomError, Place, Unauthenticated


def compile_access(route: RestRoute, interface: type[RestInterface[Any]], where: Place, issues: Issues) -> Access:
    """The access of a route: what it says itself, else what its interface says."""
    if route.public is None and route.requires is None:
        public, requires = interface.public is True, interface.requires
    else:
        public, requires = bool(route.public), route.requires
        check_access(public, requires, where, issues)
    wanted = wants_caller(route.use_case)
    if public and wanted:
        issues.add("LOOM-REST-044", where, "public = True, but the scope of the rows asks who calls", "take it away")
    stated = public or requires is not None or wanted
    return Access(public=public, requires=tuple(dict.fromkeys(requires or ())), stated=stated)


def access_errors(plan: UseCasePlan) -> Iterator[type[LoomError]]:
    """What a use case answers because of the scope of its rows, whoever calls."""
    if is_scoped(plan.use_case):
        yield from (Unauthenticated, Forbidden)


def check_access(public: bool, requires: Sequence[str] | None, where: Place, issues: Issues) -> None:
    """Record what is wrong with an access as it was declared."""
    if isinstance(requires, str):
        issues.add("LOOM-REST-042", where, f"requires is the text {requires!r}", f"write a tuple: ({requires!r},)")
        return
    if public and requires:
        issues.add(
            "LOOM-REST-041",
            where,
            f"public = True, but {', '.join(requires)} is required",
            "take one of them away: a public route asks for nobody",
        )
    for name in requires or ():
        # RFC 6749, 3.3: the characters of a scope; anything else could not be told to a client.
        if not name or not all("!" <= letter <= "~" and letter not in '"\\' for letter in name):
            issues.add("LOOM-REST-042", where, f"requires names {name!r}", "a name has no spaces and no quotes")


def check_callers(interfaces: Iterable[InterfacePlan], issues: Issues) -> None:
    """Record the interfaces that ask for callers, for a deployment in which nobody is ever known."""
    for interface in interfaces:
        asking = [route for route in interface.routes if route.access.stated and not route.access.public]
        if asking:
            issues.add(
                "LOOM-REST-045",
                interface.place,
                f"{len(asking)} of {len(interface.routes)} routes want a known caller, but nobody can be known: "
                "security.adapter is anonymous",
                "choose an adapter: security: {adapter: jwt, ...}",
            )
