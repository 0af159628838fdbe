"""What is wrong with the types of a model's fields, and with the options beside them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.fit import fit_of, text_fault
from loom.domain.model import FieldSchema, ModelSchema, is_entity
from loom.domain.schema import INT_RANGE, UNORDERED, Kind, LogicalType

_MOST_DIGITS = 1_000
"""Digits of a decimal that PostgreSQL keeps."""


def check_types(schema: ModelSchema, issues: Issues) -> None:
    """Record every fault of the types, defaults and options of a model's fields."""
    for field in schema.fields:
        before = len(issues.found)
        what = f"{schema.name}.{field.name}"
        _check_values(schema, what, field, issues)
        _check_size(schema, what, field, issues)
        _check_kind(schema, what, field, issues)
        if len(issues.found) == before:
            _check_default(schema, field, issues)


def _check_values(schema: ModelSchema, what: str, field: FieldSchema, issues: Issues) -> None:
    code, values = "LOOM-CORE-003", field.type.values
    if field.type.kind is not Kind.ENUM:
        return
    name, low, high = _type_name(field), *INT_RANGE
    if not values:
        issues.add(code, schema.model, f"{what} is {name}, which has no members", "give it members")
    elif all(isinstance(value, str) for value in values):
        for value in values:
            fault = text_fault(str(value))
            if fault:
                message = f"{what} is {name}, whose value {value!r} {fault}"
                issues.add(code, schema.model, message, "give the member another value")
    elif not _all_integers(values):
        message = f"{what}: the values of {name} are neither all text nor all integers"
        issues.add(code, schema.model, message, "no column holds both; give the members values of one type")
    elif not all(isinstance(value, int) and low <= value <= high for value in values):
        message = f"{what} is {name}, of whose values one is outside {low} to {high}"
        issues.add(code, schema.model, message, "give the members smaller values")


def _check_size(schema: ModelSchema, what: str, field: FieldSchema, issues: Issues) -> None:
    code, logical = "LOOM-CORE-003", field.type
    if logical.max_length is not None and logical.kind not in (Kind.STRING, Kind.BYTES):
        message = f"{what} has a max_length, but is {logical.kind.value}"
        issues.add(code, schema.model, message, "only text and bytes have one")
    elif logical.max_length is not None and logical.max_length < 1:
        message = f"{what} has max_length={logical.max_length}, which nothing fits"
        issues.add(code, schema.model, message, "give it one of 1 or more")
    sound = 0 <= logical.scale <= logical.precision <= _MOST_DIGITS and logical.precision > 0
    if logical.kind is Kind.DECIMAL and not sound:
        message = f"{what} has precision={logical.precision} and scale={logical.scale}, which is no decimal"
        issues.add(code, schema.model, message, f"precision is 1 to {_MOST_DIGITS}, and scale 0 to precision")


def _check_kind(schema: ModelSchema, what: str, field: FieldSchema, issues: Issues) -> None:
    if (field.options.unique or field.options.index) and field.type.kind in UNORDERED:
        message = f"{what} is {field.type.kind.value}, which cannot be unique or indexed"
        issues.add("LOOM-CORE-003", schema.model, message, "index a scalar field")
    held = _entity_in(field.type)
    if held is not None:
        message = f"{what} is the entity {held.__name__}, which has a table of its own"
        remedy = "declare it with relation(), or keep a class that is no entity"
        issues.add("LOOM-CORE-003", schema.model, message, remedy)


def _entity_in(logical: LogicalType) -> type | None:
    while logical.item is not None:
        logical = logical.item
    return logical.python if logical.kind is Kind.STRUCT and is_entity(logical.python) else None


def _check_default(schema: ModelSchema, field: FieldSchema, issues: Issues) -> None:
    fit = fit_of(field.type)
    if attrs.fields_dict(schema.model)[field.name].default is None and not _may_be_none(schema, field):
        message = f"the default None of {schema.name}.{field.name} does not fit its type: it is never null"
        issues.add("LOOM-CORE-007", schema.model, message, "annotate it with | None, or give it another default")
    if field.default is None or fit is None:
        return
    try:
        fit(field.default)
    except ValueError as error:
        message = f"the default {field.default!r} of {schema.name}.{field.name} does not fit its type: it {error}"
        issues.add("LOOM-CORE-007", schema.model, message, "correct the default or the type")


def _may_be_none(schema: ModelSchema, field: FieldSchema) -> bool:
    return field.type.nullable or field.options.autoincrement or field.name in schema.kept or field.type.python is Any


def _all_integers(values: Iterable[object]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _type_name(field: FieldSchema) -> str:
    python = field.type.python
    return python.__name__ if isinstance(python, type) and issubclass(python, enum.Enum) else str(python)
