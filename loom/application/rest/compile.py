"""From an interface class to its plan, or to all its issues."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from loom.application.compile import Issues, place_of
from loom.application.rest.access import check_access
from loom.application.rest.auto import AutoCrud, auto_crud, make_crud
from loom.application.rest.declare import RestInterface, RestRoute, model_of
from loom.application.rest.effects import check_effects
from loom.application.rest.operations import BULK, EXPORT, OPERATIONS, key_path
from loom.application.rest.options import check_options
from loom.application.rest.pages import list_rules
from loom.application.rest.parents import Parent, compile_parent, is_whole, nested_location, nested_route
from loom.application.rest.paths import shape_of
from loom.application.rest.plan import InterfacePlan, RoutePlan
from loom.application.rest.preconditions import check_required
from loom.application.rest.reuse import reused_route
from loom.application.rest.routes import compile_route
from loom.application.rest.row_scope import RowScope, compile_scope, scoped_route
from loom.application.rest.visibility import Visibility, compile_visibility, seeing_route
from loom.application.wiring import Resolver
from loom.domain.errors import Place
from loom.domain.model import ModelSchema, is_entity, schema_of


def compile_interface(
    cls: type[RestInterface[Any]],
    issues: Issues,
    resolver: Resolver,
    beside: Sequence[type[RestInterface[Any]]] = (),
) -> InterfacePlan | None:
    """Compile an interface and the use cases behind its routes.

    Args:
        cls: the interface.
        issues: takes everything that is wrong, with codes ``LOOM-REST-0xx`` and those of the use cases.
        resolver: asked which constructor arguments of use cases the container can give.
        beside: the interfaces that are served with it, whose scopes hold for what is nested below their rows.

    Returns:
        The plan, or ``None`` where an issue was recorded.
    """
    before = len(issues.found)
    where = place_of(cls)
    if not check_options(cls, where, issues):
        return None  # what would follow from a wrong option is noise
    schema = _schema(cls, where, issues)
    check_access(cls.public is True, cls.requires, where, issues)
    rules = list_rules(cls, schema, where, issues)
    scope = compile_scope(cls, schema, where, issues)
    parent = compile_parent(cls, schema, where, issues, beside)
    seen = compile_visibility(cls, schema, scope, beside, where, issues)
    crud = functools.cache(
        lambda model: _crud(cls, schema_of(model), scope, parent)
    )  # one, so that its commands are the same
    declared = [(reused_route(route, schema, crud), False) for route in cls.routes]
    generated = [(route, True) for route in _generated(cls, schema, crud, where, issues)]
    if cls.parent and parent is None:
        generated = []  # that they do not know the parameters of the prefix is noise
    declared, generated = (
        [(_confined(route, parent, scope, seen, generated=made), made) for route, made in marked]
        for marked in (declared, generated)
    )
    if not declared and not generated and len(issues.found) == before:
        issues.add("LOOM-REST-016", where, f"{cls.__name__} has no routes", "set auto = True, or add a RestRoute")
    plans = [
        plan
        for route, is_generated in [*_not_replaced(generated, declared, where, issues), *declared]
        if (plan := compile_route(route, cls, rules, issues, resolver, generated=is_generated)) is not None
    ]
    check_duplicates(plans, issues)
    check_required(cls, schema, plans, where, issues)
    if len(issues.found) == before:
        check_effects(cls, plans, where, issues)
    if len(issues.found) > before:
        return None
    return InterfacePlan(name=cls.__name__, model=schema, routes=_located(plans, cls, schema, parent), place=where)


def check_duplicates(routes: Iterable[RoutePlan], issues: Issues) -> None:
    """Record every route whose method and path another one has already, over one interface or many."""
    seen: dict[tuple[str, str], RoutePlan] = {}
    for route in routes:
        first = seen.setdefault((route.method, route.path.shape), route)
        if first is not route:
            issues.add(
                "LOOM-REST-007",
                route.place,
                f"{route.method} {route.path.text} is taken by {first.use_case.name} ({first.path.text})",
                "change the method or the path of one of them",
            )


def check_reserved(routes: Iterable[RoutePlan], reserved: Mapping[str, str], issues: Issues) -> None:
    """Record every route that would never be reached, because its path belongs to something else."""
    for route in routes:
        if route.path.text in reserved:
            message = f"{route.path.text} is taken by {reserved[route.path.text]}"
            issues.add("LOOM-REST-007", route.place, message, "choose another path")


def _schema(cls: type[RestInterface[Any]], where: Place, issues: Issues) -> ModelSchema | None:
    model = model_of(cls)
    if model is None or not is_entity(model):
        if cls.auto:
            told = f"{model.__name__} is not an entity" if model else "no entity is named"
            issues.add(
                "LOOM-REST-002",
                where,
                f"auto = True, but {told}",
                "write RestInterface[Model] with a class decorated with @entity(table=...)",
            )
        return None
    try:
        return schema_of(model)
    except TypeError as error:
        issues.add("LOOM-REST-002", where, f"the entity cannot be read: {error}", "use a type that has a logical type")
        return None


def _generated(
    cls: type[RestInterface[Any]],
    schema: ModelSchema | None,
    crud: Callable[[type], AutoCrud],
    where: Place,
    issues: Issues,
) -> list[RestRoute]:
    _check_operations(cls, where, issues)
    if not cls.auto or schema is None:
        return []
    if not schema.keys:
        issues.add(
            "LOOM-REST-003",
            where,
            f"auto = True, but {schema.name} has no key",
            "declare one with key(), or name it: entity(table=..., key=...)",
        )
        return []
    wanted = [name for name in OPERATIONS if name in (cls.include or OPERATIONS) and name not in cls.exclude]
    operations = [(name, OPERATIONS[name]) for name in wanted] + ([("export", EXPORT)] if cls.export else [])
    operations += [("bulk", BULK[name]) for name in dict.fromkeys(cls.bulk) if name in BULK]
    free = _named_public(cls)
    return [
        operation.route(schema, crud(schema.model), where, prefix=cls.prefix, public=name in free)
        for name, operation in operations
    ]


def _named_public(cls: type[RestInterface[Any]]) -> Sequence[str]:
    """The generated operations that an interface names as public."""
    return () if isinstance(cls.public, bool) else cls.public


def _crud(
    cls: type[RestInterface[Any]], schema: ModelSchema, scope: RowScope | None, parent: Parent | None
) -> AutoCrud:
    """The use cases that everybody shares, or some of the interface's own where it changes what they take."""
    if scope is None and parent is None and not cls.default_profile and not cls.fields:
        return auto_crud(schema.model)
    return make_crud(
        schema,
        optional=scope.equal if scope else (),
        without=tuple(parent.fields.values()) if parent else (),
        profile=cls.default_profile,
        sparse=bool(cls.fields),
    )


def _check_operations(cls: type[RestInterface[Any]], where: Place, issues: Issues) -> None:
    for option, known in (("include", OPERATIONS), ("exclude", OPERATIONS), ("bulk", BULK)):
        for name in getattr(cls, option):
            if name not in known:
                issues.unknown("LOOM-REST-004", where, f"{cls.__name__}.{option}: operation", name, known)
    for option in ("include", "exclude", "bulk", "export"):
        if getattr(cls, option) and not cls.auto:
            issues.add("LOOM-REST-004", where, f"{option} has no effect without auto", "set auto = True")
    offered = [name for name in OPERATIONS if name in (cls.include or OPERATIONS) and name not in cls.exclude]
    offered += ["export"] if cls.export else []
    for name in _named_public(cls):
        if name not in offered or not cls.auto:
            issues.unknown("LOOM-REST-004", where, f"{cls.__name__}.public: generated operation", name, offered)


_Marked = tuple[RestRoute, bool]


def _confined(
    route: RestRoute, parent: Parent | None, scope: RowScope | None, seen: Visibility | None, *, generated: bool
) -> RestRoute:
    """The route with its use case inside the parent, and that inside the scope, where it sees no more than others."""
    if seen is not None:
        route = seeing_route(route, seen, generated=generated)
    if parent is not None:
        route = nested_route(route, parent, generated=generated)
    return route if scope is None else scoped_route(route, scope, generated=generated)


def _not_replaced(generated: list[_Marked], declared: list[_Marked], where: Place, issues: Issues) -> list[_Marked]:
    own = {_identity(route): route for route, _ in declared}
    for route, _ in generated:
        mine = own.get(_identity(route))
        if route.public and mine is not None and mine.public is None and mine.requires is None:
            issues.add(
                "LOOM-REST-004",
                where,
                f"public names {route.method} {route.path or 'of the prefix'}, which a route of your own replaces",
                "write public=True on that route, or take the name away",
            )
    return [marked for marked in generated if _identity(marked[0]) not in own]


def _identity(route: RestRoute) -> tuple[str, str]:
    return str(route.method).upper(), shape_of(route.path)


def _located(
    plans: list[RoutePlan], cls: type[RestInterface[Any]], schema: ModelSchema | None, parent: Parent | None
) -> tuple[RoutePlan, ...]:
    """Give the routes that create rows the address of the created row, where the interface serves one."""
    if schema is None or not is_whole(parent, cls.prefix):
        return tuple(plans)
    row = ("GET", shape_of(cls.prefix + key_path(schema, cls.prefix)))
    if row not in {(plan.method, plan.path.shape) for plan in plans}:
        return tuple(plans)
    locate = nested_location(parent, schema, cls.prefix)
    return tuple(
        attrs.evolve(plan, reply=attrs.evolve(plan.reply, location=locate))
        if (plan.reply.status == 201 or plan.reply.created) and _is_row(plan.reply.type, schema)
        else plan
        for plan in plans
    )


def _is_row(result: Any, schema: ModelSchema) -> bool:
    return (typing.get_origin(result) or result) is schema.model
