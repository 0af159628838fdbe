"""Where loads and existence checks get their values from: fields of the command, or parameters of the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from loom.application.usecase.markers import ExistsMarker, LoadMarker
from loom.application.usecase.parameters import Declared, admits_none, plain_param
from loom.application.usecase.plan import Call, ParamPlan
from loom.domain.model import FieldSchema, ModelSchema, is_entity, schema_of
from loom.domain.schema import Kind, logical_type


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Source:
    """Where the value of one column comes from. ``read`` gives ``None`` where nothing was sent."""

    read: Callable[[Call], Any]
    path: tuple[str, ...]
    kind: Kind | None
    optional: bool
    hidden: tuple[ParamPlan, ...] = ()


@attrs.frozen(eq=False, repr=False)
class Pair:
    """One column and its source."""

    column: FieldSchema
    source: Source


def entity_schema(model: type, what: str, declared: Declared) -> ModelSchema | None:
    """The schema of the entity that a marker names, or ``None`` and an issue."""
    if is_entity(model):
        try:
            return schema_of(model)
        except TypeError as error:
            declared.add("LOOM-CORE-103", f"{what}: {error}", "use a type that has a logical type")
            return None
    declared.add(
        "LOOM-CORE-103",
        f"{what} names {getattr(model, '__name__', model)!r}, which is not an entity",
        "decorate the class with @entity(table=...)",
    )
    return None


def pairs_of(
    what: str,
    option: str,
    columns: str | Mapping[str, str],
    marker: LoadMarker | ExistsMarker,
    schema: ModelSchema | None,
    declared: Declared,
) -> list[Pair] | None:
    """Every column with its source; ``None`` where an issue was recorded."""
    before = len(declared.issues.found)
    if not _names_all(columns, marker) or not columns:
        declared.add(
            "LOOM-CORE-106",
            f"{what} needs a column and one source for it, or a mapping of columns to sources",
            f'write {option}="sku", from_command="sku", or {option}={{"country": "country", "since": "day"}}',
        )
        return None
    named = {columns: marker.from_command or marker.from_param or columns} if isinstance(columns, str) else columns
    pairs = []
    for column, source in named.items():
        found = schema.field(column) if schema is not None else None
        if schema is not None and found is None:
            declared.issues.unknown("LOOM-CORE-104", declared.where, f"{schema.name} field", column, schema.names)
        if marker.from_command and source not in _fields(declared):
            declared.issues.unknown("LOOM-CORE-104", declared.where, "command field", source, _fields(declared))
        elif found is not None:
            pairs.append(Pair(found, source_of(source, found, declared, only_params=bool(marker.from_param))))
    if schema is None or len(declared.issues.found) > before:
        return None
    check_kinds(what, schema, pairs, declared)
    return pairs


def _names_all(columns: object, marker: LoadMarker | ExistsMarker) -> bool:
    """Whether columns and sources are texts, and each column has one source."""
    sources: tuple[object, ...] = (marker.from_command, marker.from_param)
    told = [name for name in sources if not isinstance(name, str) or name]
    if isinstance(columns, Mapping):
        return not told and all(isinstance(name, str) for pair in columns.items() for name in pair)
    return isinstance(columns, str) and len(told) < 2 and all(isinstance(name, str) for name in told)


def _fields(declared: Declared) -> tuple[str, ...]:
    return declared.command.names if declared.command is not None else ()


def check_kinds(what: str, schema: ModelSchema, pairs: Sequence[Pair], declared: Declared) -> None:
    """Record every column that is compared with a value of another kind."""
    for pair in pairs:
        kind = pair.source.kind
        if kind is not None and kind is not pair.column.type.kind:
            declared.add(
                "LOOM-CORE-117",
                f"{what} compares {schema.name}.{pair.column.name}, which is {pair.column.type.kind.value}, "
                f"with {pair.source.path[0]!r}, which is {kind.value}",
                "give both the same type",
            )


def source_of(name: str, column: FieldSchema, declared: Declared, *, only_params: bool = False) -> Source:
    """The source of that name: a field of the command, a parameter of ``execute``, or else one of the call alone."""
    field = declared.command.field(name) if declared.command is not None and not only_params else None
    if field is not None:
        optional = field.type.patch or field.type.nullable
        return Source(read=_command_field(name), path=(name,), kind=field.type.kind, optional=optional)
    given = declared.given.get(name)
    if given is not None:
        optional = admits_none(given.annotation) or given.default is None
        return Source(read=given.read, path=(name,), kind=_kind(given.annotation), optional=optional)
    if name in declared.loaded:
        declared.add(
            "LOOM-CORE-104",
            f"{name!r} is no value to load by: it is loaded itself, or the whole command",
            "name a field of the command or a parameter of the call; what hangs on a row comes with a profile",
        )
    # The path carries the key though execute does not ask for it: POST /{product_id}/restock.
    plan = plain_param(name, column.type.python, passed=False)
    return Source(read=plan.read, path=(name,), kind=column.type.kind, optional=False, hidden=(plan,))


def _command_field(name: str) -> Callable[[Call], Any]:
    def read(call: Call) -> Any:
        return call.present(getattr(call.command, name))

    return read


def _kind(annotation: Any) -> Kind | None:
    try:
        return logical_type(annotation).kind
    except TypeError:
        return None
