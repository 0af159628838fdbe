"""Nested resources: ``prefix = "/users/{user_id}/addresses"``, where the path says to whom the rows belong.

A generated use case takes the parameters of the prefix beside its own, and its ``main_repo`` knows only the rows of
that parent. So a row of another parent does not exist for it, and a new row belongs to the parent of its path.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import attrs

from loom.application.compile import Issues, place_of
from loom.application.rest.declare import RestInterface, RestRoute, model_of
from loom.application.rest.paths import keys_below, shape_of
from loom.application.rest.replies import location_of, segment_of
from loom.application.rest.reuse import operation_of
from loom.application.rest.row_scope import SCOPES_ABOVE, RowScope, compile_scope
from loom.application.rest.scoped_repository import BoundScope, ScopedRepository, plain_value
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import NARROW, Call
from loom.domain.errors import NotFound, Place
from loom.domain.expr import Literal, col
from loom.domain.model import FieldSchema, ModelSchema, entity_of, schema_of
from loom.domain.query import Page
from loom.ports.persistence import Repository


@attrs.frozen(eq=False, kw_only=True, repr=False)
class ParentKey:
    """One parameter of the prefix: the foreign key that must equal it, and the row that it names.

    ``scope`` is that of the interface whose rows the prefix goes through; ``None`` where it has none.
    """

    parameter: str
    field: FieldSchema
    model: type
    column: str
    scope: RowScope | None


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Parent:
    """To whom the rows of a nested interface belong."""

    schema: ModelSchema
    keys: tuple[ParentKey, ...]

    @property
    def fields(self) -> Mapping[str, str]:
        """The foreign keys by parameter."""
        return {key.parameter: key.field.name for key in self.keys}

    def scope(self, given: Mapping[str, Any]) -> BoundScope:
        """The rows of one parent."""
        values = {key.field.name: given[key.parameter] for key in self.keys}
        parts = [col(name) == Literal(plain_value(value)) for name, value in values.items()]
        where = parts[0]
        for part in parts[1:]:
            where = where & part
        return BoundScope.of(self.schema.name, where, values)

    @property
    def scopes(self) -> tuple[RowScope, ...]:
        """The scopes in which the parents are looked for."""
        return tuple(key.scope for key in self.keys if key.scope is not None)

    async def require(self, use_case: UseCase[Any, Any], given: Mapping[str, Any]) -> None:
        """Refuse a parent that does not exist, or not for this caller.

        Raises:
            NotFound: of the first one that is missing.
            Unauthenticated: nobody is known, and the scope of the parents asks for a claim.
            Forbidden: the caller has no such claim.
        """
        scope = use_case._scope()
        for key in self.keys:
            rows: Repository[Any] = scope.repository(key.model)
            if key.scope is not None:
                rows = ScopedRepository(rows, key.scope.bound(scope.context.principal))
            if not await rows.exists(col(key.column) == given[key.parameter]):
                raise NotFound(key.model.__name__, given[key.parameter])


def compile_parent(
    interface: type[RestInterface[Any]],
    schema: ModelSchema | None,
    where: Place,
    issues: Issues,
    beside: Sequence[type[RestInterface[Any]]] = (),
) -> Parent | None:
    """Check the parent of an interface; ``None`` where it has none, or an issue was recorded.

    Args:
        interface: may have a parent.
        schema: of its entity.
        where: its place.
        issues: takes what is wrong.
        beside: the interfaces that are served with it; one of them may be that of the parent, with a scope.
    """
    if not interface.parent:
        return None
    if schema is None or not interface.auto:
        issues.add("LOOM-REST-061", where, "parent has no effect without auto", "set auto = True, and name the entity")
        return None
    declared = {interface.parent: interface.parent} if isinstance(interface.parent, str) else interface.parent
    keys = []
    for parameter, name in declared.items():
        if f"{{{parameter}}}" not in interface.prefix.split("/"):
            told = f"parent: the prefix {interface.prefix!r} has no parameter {{{parameter}}}"
            issues.add("LOOM-REST-061", where, told, 'write prefix = "/users/{user_id}/addresses", parent = "user_id"')
        field = schema.field(name)
        found = None if field is None else _referred(schema, field)
        if field is None:
            issues.unknown("LOOM-REST-061", where, f"{interface.__name__}.parent: field", name, schema.names)
        elif parameter != name and parameter in {entry.name for entry in schema.keys}:
            told = f"parent: {{{parameter}}} of the prefix is {schema.name}.{name}, but {parameter} is a key of its own"
            issues.add("LOOM-REST-061", where, told, f"name it after the field: {{{name}}}")
        elif found is None:
            told = f"parent: {schema.name}.{name} refers to no entity"
            issues.add("LOOM-REST-061", where, told, 'declare it: field(references="table.column"), or a relation')
        else:
            above = _scope_above(interface, parameter, found[0], beside)
            keys.append(ParentKey(parameter=parameter, field=field, model=found[0], column=found[1], scope=above))
    return Parent(schema=schema, keys=tuple(keys)) if len(keys) == len(declared) else None


def nested_route(route: RestRoute, parent: Parent, *, generated: bool) -> RestRoute:
    """The route with its use case inside the parent: a generated one, or one derived from a generated one."""
    if not generated and operation_of(route.use_case, parent.schema.model) is None:
        return route
    made = _nested(route.use_case, parent, creates=route.method == "POST")
    return attrs.evolve(route, use_case=made, declared_at=route.declared_at)


def nested_location(parent: Parent | None, schema: ModelSchema, prefix: str) -> Callable[[Any], str]:
    """The function that builds the path of a row from the row, which says who its parent is."""
    if parent is None:
        return location_of(prefix, keys_below(schema, prefix))
    fields, below = parent.fields, location_of("", keys_below(schema, prefix))

    def locate(row: Any) -> str:
        found = prefix
        for parameter, field in fields.items():
            found = found.replace(f"{{{parameter}}}", segment_of(getattr(row, field)))
        return found + below(row)

    return locate


def is_whole(parent: Parent | None, prefix: str) -> bool:
    """Whether the parent fills in every parameter of the prefix."""
    return shape_of(prefix).count("{}") == (len(parent.keys) if parent else 0)


def _referred(schema: ModelSchema, field: FieldSchema) -> tuple[type, str] | None:
    """The entity and the column that a foreign key refers to."""
    table, _, column = (field.options.references or "").rpartition(".")
    model = entity_of(table) if table else None
    for relation in schema.relations:
        if relation.options.foreign_key == field.name and not relation.many:
            model = relation.target
    if model is None:
        return None
    keys = schema_of(model).keys
    return (model, column or keys[0].name) if column or len(keys) == 1 else None


def _scope_above(
    interface: type[RestInterface[Any]], parameter: str, model: type, beside: Sequence[type[RestInterface[Any]]]
) -> RowScope | None:
    """The scope of the interface of the parent: that of its model whose prefix stands before the parameter."""
    before, _, _ = interface.prefix.partition(f"/{{{parameter}}}")
    for other in beside:
        # As text, since whether it is one is checked where that interface is compiled.
        if shape_of(str(other.prefix)) == shape_of(before) and model_of(other) is model:
            # What is wrong with it is told of that interface itself.
            return compile_scope(other, schema_of(model), place_of(other), Issues())
    return None


def _hints(execute: Any, signature: inspect.Signature) -> dict[str, Any] | None:
    """The annotations of ``execute``; ``None`` where it cannot be wrapped, of which its own compiler says why."""
    named = all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in signature.parameters.values())
    try:
        hints = typing.get_type_hints(execute, include_extras=True)
    except NameError:
        return None
    return hints if named and inspect.iscoroutinefunction(execute) else None


def _nested(use_case: type[UseCase[Any, Any]], parent: Parent, *, creates: bool) -> type[UseCase[Any, Any]]:
    inner = use_case.execute
    own = inspect.signature(inner)
    hints = _hints(inner, own)
    if hints is None:
        return use_case
    result = hints.get("return")
    # Rows outlive a parent that is only marked as deleted, and are there for callers who may not see theirs.
    hidden_parents = bool(parent.scopes) or any(schema_of(key.model).deleted_at for key in parent.keys)
    first = creates or hidden_parents or typing.get_origin(result) is AsyncIterator

    async def execute(self: Any, **given: Any) -> Any:
        of_parent = {key.parameter: given[key.parameter] for key in parent.keys}
        self._loom_parent = parent.scope(of_parent)
        if first:
            await parent.require(self, of_parent)
        found = await inner(self, **{name: value for name, value in given.items() if name not in hidden})
        if isinstance(found, Page) and not found.items:
            # An empty list of somebody who does not exist is no list.
            await parent.require(self, of_parent)
        return found

    def main_repo(self: Any) -> ScopedRepository[Any]:
        return ScopedRepository(super(made, self).main_repo, self._loom_parent)

    def narrow(call: Call, model: type, rows: Repository[Any]) -> Repository[Any]:
        if model is not parent.schema.model:
            return rows
        return ScopedRepository(rows, parent.scope({key.parameter: call.param(key.parameter) for key in parent.keys}))

    added = [
        inspect.Parameter(key.parameter, inspect.Parameter.KEYWORD_ONLY, annotation=key.field.type.python)
        for key in parent.keys
        if key.parameter not in own.parameters
    ]
    hidden = {each.name for each in added}
    execute.__annotations__ = {**hints, **{each.name: each.annotation for each in added}}
    execute.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    namespace = {
        "__module__": use_case.__module__,
        "__qualname__": use_case.__qualname__,
        "__doc__": use_case.__doc__,
        "execute": execute,
        NARROW: staticmethod(narrow),
        SCOPES_ABOVE: parent.scopes,
        "main_repo": property(main_repo),
    }
    made: Any = types.new_class(use_case.__name__, (use_case,), {}, lambda body: body.update(namespace))
    found: type[UseCase[Any, Any]] = made
    return found
