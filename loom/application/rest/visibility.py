"""What generated use cases see beyond the rows of their own interface: those that the scopes of others leave.

A scope belongs to the interface that serves its entity. Whoever reaches rows of that entity from elsewhere, by a
profile, a projection, a filter across a relation or a reference in a new row, meets the same scope there: what the
caller does not see at its own address is not there, neither to be read nor to be counted nor to be referred to.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from loom.application.compile import Issues, place_of
from loom.application.rest.declare import RestInterface, RestRoute, model_of
from loom.application.rest.referring_repository import Reference, ReferringRepository
from loom.application.rest.reuse import operation_of
from loom.application.rest.row_scope import SEEN, RowScope, compile_scope
from loom.application.rest.scoped_repository import BoundScope, ScopedRepository
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import NARROW, Call, Narrow
from loom.domain.context import Principal
from loom.domain.errors import Forbidden, Place, Unauthenticated
from loom.domain.expr import Expr, col
from loom.domain.model import ModelSchema, entity_of, is_entity, schema_of
from loom.domain.relations import Link
from loom.domain.visibility import RowFilters
from loom.ports.persistence import Repository

Interface = type[RestInterface[Any]]


@attrs.frozen(eq=False, repr=False)
class Visibility:
    """What holds for the rows of other entities.

    Attributes:
        schema: of the interface's own entity.
        scopes: by the entity that they are of.
        references: from the own entity to others.
        guarded: those of them that a foreign key of the database alone does not answer for.
    """

    schema: ModelSchema
    scopes: Mapping[type, RowScope]
    references: tuple[Reference, ...]
    guarded: tuple[Reference, ...]

    def filters(self, principal: Principal | None) -> RowFilters | None:
        """The rows that are there for one caller. Who lacks what a scope asks for sees none of its rows."""
        if not self.scopes:
            return None
        return RowFilters({model: _where(scope, principal) for model, scope in self.scopes.items()})


def compile_visibility(
    interface: Interface,
    schema: ModelSchema | None,
    scope: RowScope | None,
    beside: Sequence[Interface],
    where: Place,
    issues: Issues,
) -> Visibility | None:
    """What holds for the rows that an interface reaches; ``None`` where nothing does.

    Args:
        interface: whose routes are compiled.
        schema: of its entity.
        scope: its own; it holds for its entity also at the end of a relation that leads back.
        beside: the interfaces that are served with it, whose scopes hold.
        where: its place.
        issues: takes what is wrong.
    """
    if schema is None:
        _check_scoped_by(interface, (), where, issues)
        return None
    reached = dict.fromkeys(_reached(schema))
    _check_scoped_by(interface, tuple(reached), where, issues)
    scopes: dict[type, RowScope] = {}
    for model in reached:
        found = scope if model is schema.model else _scope_of(model, interface, beside, where, issues)
        if found is not None:
            scopes[model] = found
    references = tuple(_references(schema))
    guarded = tuple(each for each in references if each.model in scopes or schema_of(each.model).deleted_at)
    return Visibility(schema, scopes, references, guarded) if scopes or guarded else None


def seeing_route(route: RestRoute, seen: Visibility, *, generated: bool) -> RestRoute:
    """The route with its use case seeing no more: a generated one, or one derived from a generated one."""
    if generated or operation_of(route.use_case, seen.schema.model) is not None:
        return attrs.evolve(route, use_case=_seeing(route.use_case, seen), declared_at=route.declared_at)
    return route


def _seeing(use_case: type[UseCase[Any, Any]], seen: Visibility) -> type[UseCase[Any, Any]]:
    def filters(self: Any) -> RowFilters | None:
        return seen.filters(self._scope().context.principal)

    def main_repo(self: Any) -> Repository[Any]:
        rows = super(made, self).main_repo
        return ReferringRepository(rows, seen, self._scope(), filters(self)) if seen.guarded else rows

    def narrow(call: Call, model: type, rows: Repository[Any]) -> Repository[Any]:
        known = rows if outer is None else outer(call, model, rows)
        scope = seen.scopes.get(model)
        if scope is None or model is seen.schema.model:
            return known
        return ScopedRepository(
            known, BoundScope.of(scope.schema.name, _where(scope, call.scope.context.principal), {})
        )

    outer: Narrow | None = getattr(use_case, NARROW, None)
    namespace = {
        "__module__": use_case.__module__,
        "__qualname__": use_case.__qualname__,
        "__doc__": use_case.__doc__,
        SEEN: seen,
        NARROW: staticmethod(narrow),
        "_filters": filters,
        "main_repo": property(main_repo),
    }
    made: Any = types.new_class(use_case.__name__, (use_case,), {}, lambda body: body.update(namespace))
    found: type[UseCase[Any, Any]] = made
    return found


def _where(scope: RowScope, principal: Principal | None) -> Expr:
    try:
        return scope.bound(principal).where
    except (Unauthenticated, Forbidden):
        return col(scope.schema.keys[0].name).is_null()


def _scope_of(
    model: type, interface: Interface, beside: Sequence[Interface], where: Place, issues: Issues
) -> RowScope | None:
    """The scope that the interfaces of an entity have in common, or the one that is named."""
    if model in interface.scoped_by:
        named = interface.scoped_by[model]
        return None if named is None else _compiled(named)
    found = {repr(other.scope): other for other in beside if model_of(other) is model and other.auto and _scoped(other)}
    if len(found) > 1:
        names = [other.__name__ for other in found.values()]
        issues.add(
            "LOOM-REST-023",
            where,
            f"{interface.__name__} reaches {model.__name__}, whose interfaces {', '.join(names)} have different scopes",
            f"say which holds here: scoped_by = {{{model.__name__}: {names[0]}}}, or None for all rows",
        )
    return _compiled(next(iter(found.values()))) if len(found) == 1 else None


def _scoped(interface: Interface) -> bool:
    return isinstance(interface.scope, Expr)


def _compiled(interface: Interface) -> RowScope | None:
    model = model_of(interface)
    # What is wrong with it is told of that interface itself.
    return compile_scope(interface, schema_of(model) if model else None, place_of(interface), Issues())


def _check_scoped_by(interface: Interface, reached: Sequence[type], where: Place, issues: Issues) -> None:
    for model, named in interface.scoped_by.items():
        if model not in reached:
            told = f"scoped_by: {interface.__name__} reaches no {model.__name__}"
            issues.add("LOOM-REST-023", where, told, "leave it out")
        elif named is not None and model_of(named) is not model:
            told = f"scoped_by: {named.__name__} does not serve {model.__name__}"
            issues.add("LOOM-REST-023", where, told, f"name an interface of {model.__name__}, or None for all rows")


def _reached(schema: ModelSchema) -> Iterator[type]:
    """Every entity that relations and references lead to, however far."""
    done: set[type] = set()
    waiting = [*_next(schema)]
    while waiting:
        model = waiting.pop()
        if model not in done:
            done.add(model)
            yield model
            waiting += _next(schema_of(model))


def _next(schema: ModelSchema) -> Iterator[type]:
    for relation in schema.relations:
        try:
            yield relation.target
        except LookupError:
            continue  # told where the models are compiled
        through: Any = relation.options.through
        through = through.table if isinstance(through, Link) else through
        link = entity_of(through) if isinstance(through, str) else through
        if isinstance(link, type) and is_entity(link):
            yield link
    yield from (each.model for each in _references(schema))


def _references(schema: ModelSchema) -> Iterator[Reference]:
    for field in schema.fields:
        table, _, column = (field.options.references or "").rpartition(".")
        model = entity_of(table) if table else None
        for relation in schema.relations:
            if relation.options.foreign_key == field.name and not relation.many:
                model = relation.target
        if model is None:
            continue
        keys = schema_of(model).keys
        if column or len(keys) == 1:
            yield Reference(field.name, model, column or keys[0].name)
