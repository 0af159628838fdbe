"""The options of an interface: one table, from which unknown names and wrong types are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from loom.application.compile import Issues, nearest
from loom.application.rest.declare import Idempotency, PaginationMode, RestInterface, RestRoute
from loom.domain.errors import LoomError, Place
from loom.domain.expr import Expr

Check = Callable[[object], str]
"""Takes the value of an option; returns what it should have been, or the empty string where it is right."""


def _is(kind: type, expected: str) -> Check:
    return lambda value: "" if type(value) is kind else expected


def _sequence(kind: type, expected: str) -> Check:
    def check(value: object) -> str:
        # A text is a sequence too, and `tags = "Products"` would become eight tags.
        if isinstance(value, str) or not isinstance(value, Sequence):
            return expected
        return "" if all(isinstance(item, kind) for item in value) else expected

    return check


def _optional(check: Check) -> Check:
    return lambda value: "" if value is None else check(value)


def _predicate(value: object) -> str:
    return "" if isinstance(value, Expr) else 'an expression: col("tenant_id") == principal.tenant_id'


def _count(value: object) -> str:
    return "" if type(value) is int and value > 0 else "a whole number above 0"


def _parent(value: object) -> str:
    if isinstance(value, Mapping):
        value = (*value, *value.values())
    names = (value,) if isinstance(value, str) else value
    right = isinstance(names, tuple) and all(isinstance(name, str) for name in names)
    return "" if right else 'a parameter of the prefix, or foreign keys by parameter: {"user": "user_id"}'


def _scoped_by(value: object) -> str:
    named = isinstance(value, Mapping) and all(
        isinstance(model, type) and (of is None or (isinstance(of, type) and issubclass(of, RestInterface)))
        for model, of in value.items()
    )
    return "" if named else "interfaces, or None, by entity: {Folder: FolderInterface}"


def _public(value: object) -> str:
    expected = 'True, False, or a tuple of operation names: ("list", "get")'
    return "" if isinstance(value, bool) else _sequence(str, expected)(value)


OPTIONS: Mapping[str, Check] = {
    "prefix": _is(str, "a text"),
    "tags": _sequence(str, 'a tuple of texts: ("Products",)'),
    "auto": _is(bool, "True or False"),
    "include": _sequence(str, 'a tuple of operation names: ("list", "get")'),
    "exclude": _sequence(str, 'a tuple of operation names: ("delete",)'),
    "pagination_mode": _is(PaginationMode, "PaginationMode.CURSOR or PaginationMode.OFFSET"),
    "page_size": _count,
    "max_page_size": _count,
    "filters": _sequence(str, 'a tuple of column names: ("name", "price")'),
    "sorts": _sequence(str, 'a tuple of column names: ("name", "price")'),
    "profiles": _sequence(str, 'a tuple of profile names: ("with_details",)'),
    "default_profile": _is(str, "a profile name"),
    "parent": _parent,
    "export": _is(bool, "True or False"),
    "bulk": _sequence(str, 'a tuple of "create", "update", "delete"'),
    "bulk_size": _count,
    "idempotency": _is(Idempotency, "Idempotency.OPTIONAL, Idempotency.REQUIRED or Idempotency.OFF"),
    "require_if_match": _is(bool, "True or False"),
    "fields": _sequence(str, 'a tuple of column names: ("sku", "name")'),
    "routes": _sequence(RestRoute, "a tuple of RestRoute(...)"),
    "requires": _optional(_sequence(str, 'a tuple of names: ("products:write",)')),
    "public": _public,
    "scope": _optional(_predicate),
    "scoped_by": _scoped_by,
}


def _below(value: object) -> str:
    # "restock" would become "/productsrestock".
    right = isinstance(value, str) and (not value or value.startswith("/"))
    return "" if right else 'a text that begins with a slash: "/{id}/restock"'


def _status(value: object) -> str:
    # An HTTPStatus is one too, and a bool is not.
    return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number: 202"


def _requires(value: object) -> str:
    # Of a text the check of the access says how it is written.
    return "" if isinstance(value, str) else _sequence(str, 'a tuple of names: ("products:write",)')(value)


def _errors(value: object) -> str:
    right = not _sequence(type, "it")(value) and all(issubclass(each, LoomError) for each in value)  # type: ignore[attr-defined]
    return "" if right else "a tuple of classes that derive from the errors of loom.core: (OutOfStock,)"


ROUTE_OPTIONS: Mapping[str, Check] = {
    "path": _below,
    "status_code": _optional(_status),
    "errors": _errors,
    "summary": _is(str, "a text"),
    "requires": _optional(_requires),
    "public": _optional(_is(bool, "True, False or None")),
}


def check_options(cls: type[RestInterface[Any]], where: Place, issues: Issues) -> bool:
    """Check names and types of everything that the class body sets; ``False`` where an issue was recorded."""
    before = len(issues.found)
    for name, value in _declared(cls).items():
        check = OPTIONS.get(name)
        if check is not None and (expected := check(value)):
            issues.add("LOOM-REST-013", where, f"{cls.__name__}.{name} is {value!r}", f"it takes {expected}")
        elif check is None and not _own_affair(name, value):
            issues.unknown("LOOM-REST-001", where, "interface option", name, OPTIONS)
    if len(issues.found) == before and cls.page_size > cls.max_page_size:
        told = f"{cls.__name__}.page_size is {cls.page_size}, but max_page_size is {cls.max_page_size}"
        issues.add("LOOM-REST-013", where, told, "raise max_page_size")
    if len(issues.found) == before:
        _check_routes(cls.routes, issues)
    return len(issues.found) == before


def _check_routes(routes: Iterable[RestRoute], issues: Issues) -> None:
    for route in routes:
        for name, check in ROUTE_OPTIONS.items():
            if expected := check(value := getattr(route, name)):
                told = f"RestRoute({name}=...) is {value!r}"
                issues.add("LOOM-REST-013", route.declared_at, told, f"it takes {expected}")


def _declared(cls: type[RestInterface[Any]]) -> dict[str, Any]:
    """What the class and its own bases set, the nearest winning; ``RestInterface`` itself is right by definition."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[: cls.__mro__.index(RestInterface)]):
        found.update({name: value for name, value in vars(base).items() if not name.startswith("_")})
    return found


def _own_affair(name: str, value: object) -> bool:
    """Methods and nested classes are the user's own, unless the name is nearly that of an option."""
    return (callable(value) or isinstance(value, classmethod | staticmethod | property)) and not nearest(name, OPTIONS)
