"""What ``LoadById``, ``Load`` and ``Exists`` do: where their values come from, and the question to the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import reduce
from operator import and_
from typing import Any, TypeAlias

from loom.application.usecase.markers import ExistsMarker, LoadByIdMarker, LoadMarker, OnMissing
from loom.application.usecase.parameters import MARKERS, Declared, MarkerKind, admits_none, members, shown
from loom.application.usecase.plan import Call, ParamPlan
from loom.application.usecase.sources import Pair, check_kinds, entity_schema, pairs_of, source_of
from loom.domain.errors import NotFound
from loom.domain.expr import Expr, col
from loom.domain.model import FieldSchema, ModelSchema, schema_of


def _load_by_id(name: str, annotation: Any, marker: LoadByIdMarker, declared: Declared) -> list[ParamPlan]:
    schema = entity_schema(marker.model, f"LoadById of {name!r}", declared)
    if schema is None:
        return []
    if len(schema.keys) != 1:
        columns = ", ".join(f'"{entry.name}": ...' for entry in schema.keys)
        declared.add(
            "LOOM-CORE-105",
            f"{schema.name} has a composite key, so {marker.by!r} cannot name it",
            f"write Load({schema.name}, by={{{columns}}})",
        )
        return []
    by: object = marker.by
    if not isinstance(by, str) or not by:
        declared.add(
            "LOOM-CORE-106", f"LoadById of {name!r}: by is {marker.by!r}", 'write by="book_id": what holds the key'
        )
        return []
    pair = Pair(schema.keys[0], source_of(marker.by, schema.keys[0], declared))
    check_kinds(f"LoadById of {name!r}", schema, [pair], declared)
    _check_row(name, annotation, marker, [pair], declared)
    return _planned(name, annotation, marker, _by_key(schema, [pair], marker), [pair])


def _load(name: str, annotation: Any, marker: LoadMarker, declared: Declared) -> list[ParamPlan]:
    what = f"Load of {name!r}"
    schema = entity_schema(marker.model, what, declared)
    pairs = pairs_of(what, "by", marker.by, marker, schema, declared)
    if schema is None or pairs is None:
        return []
    columns = [pair.column for pair in pairs]
    if not _unique(schema, columns):
        names = ", ".join(column.name for column in columns)
        declared.add(
            "LOOM-CORE-115",
            f"{what}: several rows of {schema.name} may have the same {names}",
            "load by a key, a field(unique=True) or the columns of a unique index, or ask self.main_repo in execute",
        )
    _check_row(name, annotation, marker, pairs, declared)
    if schema.keys == tuple(columns):
        return _planned(name, annotation, marker, _by_key(schema, pairs, marker), pairs)
    return _planned(name, annotation, marker, _by_columns(schema, pairs, marker), pairs)


def _exists(name: str, annotation: Any, marker: ExistsMarker, declared: Declared) -> list[ParamPlan]:
    what = f"Exists of {name!r}"
    schema = entity_schema(marker.model, what, declared)
    if isinstance(marker.against, str) and marker.from_command == marker.from_param == "":
        declared.add(
            "LOOM-CORE-106",
            f"{what} needs exactly one of from_command and from_param",
            'write Exists(Model, from_command="sku", against="sku")',
        )
        return []
    pairs = pairs_of(what, "against", marker.against, marker, schema, declared)
    if schema is None or pairs is None:
        return []
    if annotation not in (bool, Any, object):
        declared.add("LOOM-CORE-119", f"{what} is a bool, but annotated {shown(annotation)}", f"write {name}: bool")
    _check_missing(what, marker.on_missing, declared)
    read = _whether(schema, pairs, marker.on_missing)
    return _planned(name, annotation, marker, read, pairs)


_Read: TypeAlias = Callable[[Call], Awaitable[object]]
_Marker: TypeAlias = LoadByIdMarker | LoadMarker | ExistsMarker


def _planned(name: str, annotation: Any, marker: _Marker, read: _Read, pairs: Sequence[Pair]) -> list[ParamPlan]:
    hidden = [plan for pair in pairs for plan in pair.source.hidden]
    plan = ParamPlan(
        name=name,
        annotation=annotation,
        source="exists" if isinstance(marker, ExistsMarker) else "load",
        read=read,
        waits=True,
        model=marker.model,
        path=pairs[0].source.path if pairs else (),
        raises=(NotFound,) if marker.on_missing is OnMissing.RAISE else (),
    )
    return [*hidden, plan]


def _by_key(schema: ModelSchema, pairs: Sequence[Pair], marker: LoadByIdMarker | LoadMarker) -> _Read:
    model, missing, profile = marker.model, marker.on_missing, marker.profile
    read = _values(pairs)
    single = len(pairs) == 1

    async def load(call: Call) -> object:
        values = read(call)
        if values is None:
            return None
        key = values[0] if single else values
        found: object = await call.repository(model).get(key, profile=profile)
        if found is None and missing is OnMissing.RAISE:
            raise NotFound(schema.name, key)
        return found

    return load


def _by_columns(schema: ModelSchema, pairs: Sequence[Pair], marker: LoadMarker) -> _Read:
    model, missing, profile = marker.model, marker.on_missing, marker.profile
    read, where = _values(pairs), _predicate(pairs)
    absent = _absence(schema, pairs)

    async def load(call: Call) -> object:
        values = read(call)
        if values is None:
            return None
        found: object = await call.repository(model).find(where(values), profile=profile)
        if found is None and missing is OnMissing.RAISE:
            raise absent(values)
        return found

    return load


def _whether(schema: ModelSchema, pairs: Sequence[Pair], missing: OnMissing) -> _Read:
    model: type[Any] = schema.model
    read, where = _values(pairs), _predicate(pairs)
    absent = _absence(schema, pairs)

    async def exists(call: Call) -> object:
        values = read(call)
        if values is None:
            return False
        found = await call.repository(model).exists(where(values))
        if not found and missing is OnMissing.RAISE:
            raise absent(values)
        return found

    return exists


def _values(pairs: Sequence[Pair]) -> Callable[[Call], tuple[Any, ...] | None]:
    """The values in the order of the columns; ``None`` where one is missing, since no row can equal it."""
    readers = tuple(pair.source.read for pair in pairs)

    def read(call: Call) -> tuple[Any, ...] | None:
        values = tuple([reader(call) for reader in readers])
        return None if any(value is None for value in values) else values

    return read


def _predicate(pairs: Sequence[Pair]) -> Callable[[tuple[Any, ...]], Expr]:
    columns = tuple(col(pair.column.name) for pair in pairs)
    if len(columns) == 1:
        return lambda values: columns[0] == values[0]
    return lambda values: reduce(and_, [column == value for column, value in zip(columns, values, strict=True)])


def _absence(schema: ModelSchema, pairs: Sequence[Pair]) -> Callable[[tuple[Any, ...]], NotFound]:
    names = tuple(pair.column.name for pair in pairs)
    return lambda values: NotFound(schema.name, values[0] if len(values) == 1 else values, by=names)


def _unique(schema: ModelSchema, columns: Sequence[FieldSchema]) -> bool:
    names = {column.name for column in columns}
    keys = {entry.name for entry in schema.keys}
    together = [set(index.columns) for index in schema.indexes if index.unique and index.where is None]
    return any(column.options.unique for column in columns) or any(held and held <= names for held in (keys, *together))


def _check_row(
    name: str, annotation: Any, marker: LoadMarker | LoadByIdMarker, pairs: Sequence[Pair], declared: Declared
) -> None:
    model = marker.model
    parts = [part for part in members(annotation) if part is not type(None)]
    if not any(part in (Any, object) or (isinstance(part, type) and issubclass(model, part)) for part in parts):
        declared.add(
            "LOOM-CORE-119",
            f"{name!r} is annotated {shown(annotation)}, but {model.__name__} is loaded",
            f"write {name}: {model.__name__}",
        )
    _check_missing(f"the load of {name!r}", marker.on_missing, declared)
    profiles = schema_of(model).profiles
    if marker.profile and marker.profile not in profiles:
        declared.issues.unknown("LOOM-CORE-104", declared.where, f"{model.__name__} profile", marker.profile, profiles)
    optional = next((pair.source.path[0] for pair in pairs if pair.source.optional), "")
    if (optional or marker.on_missing is OnMissing.NONE) and not admits_none(annotation):
        why = f"{optional!r} may be null or left out" if optional else "on_missing is NONE"
        declared.add(
            "LOOM-CORE-116",
            f"{name!r} is None where {why}, but it is annotated {shown(annotation)}",
            f"write {name}: {shown(annotation)} | None",
        )


def _check_missing(what: str, missing: object, declared: Declared) -> None:
    if not isinstance(missing, OnMissing):
        declared.add("LOOM-CORE-118", f"{what}: on_missing is {missing!r}", "write OnMissing.RAISE or OnMissing.NONE")


MARKERS.register(LoadByIdMarker, MarkerKind(_load_by_id))
MARKERS.register(LoadMarker, MarkerKind(_load))
MARKERS.register(ExistsMarker, MarkerKind(_exists))
