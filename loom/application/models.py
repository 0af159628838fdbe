"""Compile models: everything that a store would refuse later is found here, all of it, before anything starts."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs

from loom.application.compile import Issues
from loom.application.field_types import check_types
from loom.application.model_constraints import check_constraints, check_reused
from loom.application.model_names import check_names, check_tables
from loom.application.predicates import stored_kind
from loom.application.repositories import check_repository
from loom.domain.constraints import TIMESTAMPS
from loom.domain.model import FieldSchema, ModelSchema, field_options, hints_of, is_entity, schema_of, told_names
from loom.domain.schema import UNORDERED, Kind, LogicalType, logical_type


def compile_models(models: Iterable[type], issues: Issues) -> tuple[ModelSchema, ...]:
    """Compile the models of one deployment, and check what only the whole set shows.

    Args:
        models: entities, in any order; repetitions are ignored.
        issues: receives every fault of every model.

    Returns:
        The schemas of the models that have no fault of their own.
    """
    schemas = [schema for model in dict.fromkeys(models) if (schema := compile_model(model, issues)) is not None]
    tables = check_tables(schemas, issues)
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
    _check_class(model, issues)
    _check_told(model, issues)
    _check_annotations(model, issues)
    if len(issues.found) > before:
        return None
    schema = schema_of(model)
    check_names(schema, issues)
    _check_keys(schema, issues)
    check_types(schema, issues)
    _check_timestamps(schema, issues)
    check_constraints(schema, issues)
    check_repository(model, issues)
    return schema if len(issues.found) == before else None


def form_of(field: FieldSchema) -> str:
    """What a value of the field is kept as: fields that refer to each other agree in it."""
    kind = stored_kind(field)
    if field.type.kind is Kind.ENUM:
        return f"enum of {'integers' if kind is Kind.INT else 'text'}"
    return f"decimal with {field.type.scale} digits after the point" if kind is Kind.DECIMAL else kind.value


def has_order(logical: LogicalType) -> bool:
    """Whether values of the type can be compared and sorted. JSON, arrays and structs cannot."""
    return logical.kind not in UNORDERED


def _check_class(model: type, issues: Issues) -> None:
    """Find what attrs passes over in silence."""
    if dataclasses.is_dataclass(model):
        remedy = "remove @dataclass: entity makes an attrs class of a plain one"
        issues.add("LOOM-CORE-012", model, f"{model.__name__} is a dataclass, whose defaults attrs cannot read", remedy)
        return
    names = {attribute.name for attribute in attrs.fields(model)}
    for base in model.__mro__:
        if attrs.has(base) and "__attrs_attrs__" in vars(base):
            continue
        lost = [
            name for name, hint in inspect.get_annotations(base).items() if not _of_class(hint) and name not in names
        ]
        if lost:
            told = f"{model.__name__} inherits {', '.join(lost)} from {base.__name__}, which is no attrs class"
            remedy = f"decorate {base.__name__} with @attrs.define(kw_only=True)"
            issues.add("LOOM-CORE-012", model, f"{told}: attrs passes over them", remedy)


def _check_told(model: type, issues: Issues) -> None:
    """Find what ``entity`` was told of fields that the class does not have."""
    known = [attribute.name for attribute in attrs.fields(model)]
    for option, names in told_names(model).items():
        for name in names:
            if name not in known:
                issues.unknown("LOOM-CORE-013", model, f"entity({option}=...): {model.__name__} field", name, known)


def _of_class(hint: Any) -> bool:
    return "ClassVar" in hint if isinstance(hint, str) else typing.get_origin(hint) is ClassVar or hint is ClassVar


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
        if name not in hints:
            told = f"{model.__name__}.{name} has no annotation, so attrs takes no annotated field of the class either"
            issues.add("LOOM-CORE-012", model, told, f"write {name}: int = ...")
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
    elif form_of(found) != form_of(field):
        message = f"{what}, but {field.name} is {form_of(field)} and {column} is {form_of(found)}"
        issues.add(code, schema.model, message, "give both the same type")
    else:
        check_reused(schema, field, target, column, issues)
