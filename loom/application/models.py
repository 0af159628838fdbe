"""Compile models: everything that a store would refuse later is found here, all of it, before anything starts."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from loom.application.compile import Issues, place_of
from loom.application.fit import fit_of
from loom.application.model_constraints import check_constraints, check_reused
from loom.application.repositories import check_repository
from loom.domain.constraints import TIMESTAMPS
from loom.domain.errors import Place
from loom.domain.model import FieldSchema, ModelSchema, field_options, hints_of, is_entity, schema_of
from loom.domain.schema import Kind, LogicalType, logical_type

_UNORDERED = frozenset({Kind.JSON, Kind.ARRAY, Kind.STRUCT})


def compile_models(models: Iterable[type], issues: Issues) -> tuple[ModelSchema, ...]:
    """Compile the models of one deployment, and check what only the whole set shows.

    Args:
        models: entities, in any order; repetitions are ignored.
        issues: receives every fault of every model.

    Returns:
        The schemas of the models that have no fault of their own.
    """
    schemas = [schema for model in dict.fromkeys(models) if (schema := compile_model(model, issues)) is not None]
    tables: dict[str, ModelSchema] = {}
    for schema in schemas:
        other = tables.setdefault(schema.table, schema)
        if other is not schema:
            message = f"{schema.name} and {other.name} are both stored in table {schema.table!r}"
            issues.add("LOOM-CORE-005", schema.model, message, f"give one of them another table; see {_at(other)}")
    for schema in schemas:
        for field in schema.fields:
            if field.options.references is not None:
                _check_reference(schema, field, field.options.references, tables, issues)
    return tuple(schemas)


def compile_model(model: type, issues: Issues) -> ModelSchema | None:
    """The schema of one entity, or ``None`` where it has faults, each of which is in ``issues``."""
    if not is_entity(model):
        name = getattr(model, "__name__", repr(model))
        remedy = f'declare it with @entity(table="{name.lower()}"), or call entity(table=...)({name})'
        issues.add("LOOM-CORE-001", model, f"{name} is not an entity", remedy)
        return None
    before = len(issues.found)
    _check_annotations(model, issues)
    if len(issues.found) > before:
        return None
    schema = schema_of(model)
    _check_keys(schema, issues)
    _check_types(schema, issues)
    _check_timestamps(schema, issues)
    check_constraints(schema, issues)
    check_repository(model, issues)
    return schema if len(issues.found) == before else None


def has_order(logical: LogicalType) -> bool:
    """Whether values of the type can be compared and sorted. JSON, arrays and structs cannot."""
    return logical.kind not in _UNORDERED


def _check_annotations(model: type, issues: Issues) -> None:
    """Read apart from ``schema_of``, which can name only the first field whose type is unknown."""
    try:
        hints = hints_of(model)
    except NameError as error:
        remedy = "import it in the module of the model, outside TYPE_CHECKING"
        issues.add("LOOM-CORE-003", model, f"{model.__name__}: an annotation cannot be read: {error}", remedy)
        return
    for name, options in field_options(model).items():
        if options.loaded:
            continue
        try:
            logical_type(hints[name])
        except TypeError as error:
            remedy = "use a scalar, an enum, a list, a dict, or an attrs class"
            issues.add("LOOM-CORE-003", model, f"{model.__name__}.{name}: {error}", remedy)


def _check_keys(schema: ModelSchema, issues: Issues) -> None:
    if not schema.keys:
        remedy = 'declare one field with key(), or name it: entity(table=..., key="...")'
        issues.add("LOOM-CORE-002", schema.model, f"{schema.name} has no key", remedy)
    for field in schema.fields:
        if field.options.autoincrement and field.type.kind is not Kind.INT:
            message = f"{schema.name}.{field.name} is autoincrement, but its type is {field.type.kind.value}"
            issues.add("LOOM-CORE-004", schema.model, message, "only an int is counted up by the store")
        elif field.options.autoincrement and schema.keys != (field,):
            names = ", ".join(each.name for each in schema.keys) or "nothing"
            message = f"{schema.name}.{field.name} is autoincrement, but the key is {names}"
            issues.add("LOOM-CORE-004", schema.model, message, "a counted number identifies the row alone")
        nullable = field.type.nullable and not field.options.autoincrement
        if field.options.key and (nullable or not has_order(field.type)):
            what = "nullable" if nullable else field.type.kind.value
            message = f"{schema.name}.{field.name} is a key, but its type is {what}"
            issues.add(
                "LOOM-CORE-008", schema.model, message, "a key identifies the row: it is a scalar and never null"
            )


def _check_types(schema: ModelSchema, issues: Issues) -> None:
    for field in schema.fields:
        _check_default(schema, field, issues)
        values = field.type.values
        if values and not all(isinstance(value, str) for value in values) and not _all_integers(values):
            message = (
                f"{schema.name}.{field.name}: the values of {_type_name(field)} are neither all text nor all integers"
            )
            issues.add(
                "LOOM-CORE-003", schema.model, message, "no column holds both; give the members values of one type"
            )
        if (field.options.unique or field.options.index) and not has_order(field.type):
            message = f"{schema.name}.{field.name} is {field.type.kind.value}, which cannot be unique or indexed"
            issues.add("LOOM-CORE-003", schema.model, message, "index a scalar field")


def _check_default(schema: ModelSchema, field: FieldSchema, issues: Issues) -> None:
    fit = fit_of(field.type)
    if field.default is None or fit is None:
        return
    try:
        fit(field.default)
    except ValueError as error:
        message = f"the default {field.default!r} of {schema.name}.{field.name} does not fit its type: it {error}"
        issues.add("LOOM-CORE-007", schema.model, message, "correct the default or the type")


def _check_timestamps(schema: ModelSchema, issues: Issues) -> None:
    if not schema.timestamps:
        return
    for name in TIMESTAMPS:
        field = schema.field(name)
        if field is None or field.type.kind is not Kind.DATETIME:
            found = "has no such field" if field is None else f"declares it as {field.type.kind.value}"
            message = f"{schema.name} keeps timestamps, but {found}: {name}"
            issues.add("LOOM-CORE-009", schema.model, message, f"add {name}: datetime | None = None")


def _check_reference(
    schema: ModelSchema, field: FieldSchema, reference: str, tables: Mapping[str, ModelSchema], issues: Issues
) -> None:
    code, what = "LOOM-CORE-006", f"{schema.name}.{field.name} references {reference!r}"
    table, dot, column = reference.rpartition(".")
    if not dot:
        issues.add(code, schema.model, f"{what}, which names no column", 'write "table.column"')
        return
    target = tables.get(table)
    if target is None:
        issues.unknown(code, schema.model, f"{what}: table", table, tables)
        return
    found = target.field(column)
    if found is None:
        issues.unknown(code, schema.model, f"{what}: column", column, target.names)
    elif not (found.options.unique or target.keys == (found,)):
        issues.add(code, schema.model, f"{what}, which several rows may share", "reference a key or a unique field")
    elif found.type.kind is not field.type.kind:
        message = f"{what}, but {field.name} is {field.type.kind.value} and {column} is {found.type.kind.value}"
        issues.add(code, schema.model, message, "give both the same type")
    else:
        check_reused(schema, field, target, column, issues)


def _all_integers(values: Iterable[object]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _type_name(field: FieldSchema) -> str:
    python = field.type.python
    return python.__name__ if isinstance(python, type) and issubclass(python, enum.Enum) else str(python)


def _at(schema: ModelSchema) -> Place:
    return place_of(schema.model)
