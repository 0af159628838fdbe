"""Versions, soft deletion, named checks and indexes of a model: compiled, and made ready for stores."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from loom.application.compile import Issues
from loom.application.predicates import folded, plain_expression, store_faults, stored_kind
from loom.domain.constraints import Index
from loom.domain.errors import InvalidInput
from loom.domain.expr import Expr, Ref, Root, refs
from loom.domain.model import FieldSchema, ModelSchema
from loom.domain.schema import Kind

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_UNORDERED = frozenset({Kind.JSON, Kind.ARRAY, Kind.STRUCT})


def check_constraints(schema: ModelSchema, issues: Issues) -> None:
    """Record every fault of what a model says about its rows."""
    _check_version(schema, issues)
    _check_deleted_at(schema, issues)
    for name, expr in schema.checks.items():
        _check_check(schema, name, expr, issues)
    for each in schema.indexes:
        _check_index(schema, each, issues)
    _check_repeated(schema, issues)
    _check_cache(schema, issues)


def check_reused(schema: ModelSchema, field: FieldSchema, target: ModelSchema, column: str, issues: Issues) -> None:
    """Record a reference to a unique value that may be used again once its row is deleted."""
    if target.deleted_at and target.keys != (target.field(column),):
        message = f"{schema.name}.{field.name} references {target.table}.{column}, which a later row may use again"
        issues.add("LOOM-CORE-024", schema.model, message, "reference the key of a model with soft_delete")


def plain_predicate(expr: Expr) -> Expr:
    """A checked predicate with plain constants, as stores and ``to_python`` take it."""
    return folded(plain_expression(expr))


def named_checks(schema: ModelSchema) -> Mapping[str, Expr]:
    """The checks by name, in the order in which databases look at them: that of their names."""
    return {name: plain_predicate(schema.checks[name]) for name in sorted(schema.checks)}


def columns_of(expr: Expr) -> tuple[str, ...]:
    """The columns that an expression speaks of, each once."""
    return tuple(dict.fromkeys(ref.ref_path[0] for ref in refs(expr)))


def unique_groups(schema: ModelSchema) -> Iterator[Index]:
    """What is unique beside the key, fields and indexes alike. Deleted rows are left out of each."""
    for each in declared_indexes(schema):
        if each.unique:
            yield _alive(schema, each)


def declared_indexes(schema: ModelSchema) -> Iterator[Index]:
    """Every index and uniqueness as it was declared, at a field or for the model."""
    for field in schema.fields:
        if field.options.index:
            yield Index((field.name,))
        if field.options.unique:
            yield Index((field.name,), unique=True)
    yield from schema.indexes


def alive(schema: ModelSchema) -> Expr | None:
    """The predicate of the rows that are not deleted; ``None`` where deleting removes them."""
    return Ref(Root.COLUMN, (schema.deleted_at,)).is_null() if schema.deleted_at else None


def _check_cache(schema: ModelSchema, issues: Issues) -> None:
    seconds: object = schema.cache
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        message = f"{schema.name} may be cached for {seconds!r} seconds, which is no time"
        issues.add("LOOM-CORE-027", schema.model, message, "give a number of seconds, or leave cache out")


def _alive(schema: ModelSchema, group: Index) -> Index:
    living = alive(schema)
    if living is None:
        return group
    return Index(group.columns, group.unique, living if group.where is None else living & group.where)


def _check_version(schema: ModelSchema, issues: Issues) -> None:
    if not schema.version:
        return
    field = schema.field(schema.version)
    fault = ""
    if field is None:
        fault = "has no such field"
    elif field.type.kind is not Kind.INT or field.type.nullable:
        fault = f"declares it as {'nullable' if field.type.nullable else field.type.kind.value}"
    elif field.options.key or field.options.unique:
        fault = "declares it as a key or unique"
    if fault:
        message = f"{schema.name} keeps a version, but {fault}: {schema.version}"
        issues.add("LOOM-CORE-020", schema.model, message, f"add {schema.version}: int = 1")


def _check_deleted_at(schema: ModelSchema, issues: Issues) -> None:
    if not schema.deleted_at:
        return
    field = schema.field(schema.deleted_at)
    if field is None or field.type.kind is not Kind.DATETIME or not field.type.nullable:
        found = "has no such field" if field is None else f"declares it as {field.type.kind.value}"
        message = f"{schema.name} has soft_delete, but {found}: {schema.deleted_at}"
        issues.add("LOOM-CORE-021", schema.model, message, f"add {schema.deleted_at}: datetime | None = None")


def _check_check(schema: ModelSchema, name: str, expr: Expr, issues: Issues) -> None:
    if not _NAME.fullmatch(name):
        message = f"{schema.name}: the check {name!r} is no name"
        issues.add("LOOM-CORE-022", schema.model, message, "write it as price_positive: a-z, digits and _")
    _check_predicate("LOOM-CORE-022", schema, f"the check {name!r}", expr, issues)


def _check_index(schema: ModelSchema, index: Index, issues: Issues) -> None:
    given: object = index
    if not isinstance(given, Index):
        told = f"{schema.name}: {given!r} is no index"
        issues.add("LOOM-CORE-023", schema.model, told, f"write indexes=[index({given!r})]")
        return
    code, what = "LOOM-CORE-023", f"{schema.name}: index({', '.join(map(repr, index.columns))})"
    if not index.columns:
        issues.add(code, schema.model, f"{what} names no column", 'write index("stock")')
    for name in index.columns:
        field = schema.field(name)
        if field is None:
            issues.unknown(code, schema.model, f"{what}: column", name, schema.names)
        elif field.type.kind in _UNORDERED:
            message = f"{what}: {name} is {field.type.kind.value}, which cannot be indexed"
            issues.add(code, schema.model, message, "index scalar fields")
    if index.where is not None:
        _check_predicate(code, schema, f"{what}: where", index.where, issues)


def _check_repeated(schema: ModelSchema, issues: Issues) -> None:
    seen: set[tuple[object, ...]] = set()
    declared: Iterator[object] = declared_indexes(schema)
    for each in declared:
        if not isinstance(each, Index):
            continue
        what = (each.columns, each.unique, repr(each.where))
        if what in seen:
            message = f"{schema.name}: {'uniqueness' if each.unique else 'an index'} of {', '.join(each.columns)}"
            issues.add("LOOM-CORE-023", schema.model, f"{message} is declared twice", "leave one of them out")
        seen.add(what)


def _check_predicate(code: str, schema: ModelSchema, what: str, expr: Expr, issues: Issues) -> None:
    def kind_of(ref: Ref) -> Kind:
        field = schema.field(ref.ref_path[0]) if ref.ref_root is Root.COLUMN and len(ref.ref_path) == 1 else None
        if field is None:
            raise LookupError(ref)
        return stored_kind(field)

    before = len(issues.found)
    if not any(True for _ in refs(expr)):
        issues.add(code, schema.model, f"{schema.name}: {what} speaks of no column", 'write col("price") > 0')
        return
    try:
        plain = plain_expression(expr)
    except InvalidInput as error:
        issues.add(code, schema.model, f"{schema.name}: {what}: {error.errors[0].message}")
        return
    issues.predicate(code, schema.model, plain, kind_of, schema.names)
    if len(issues.found) == before:
        for fault in store_faults(plain, kind_of):
            issues.add(code, schema.model, f"{schema.name}: {what}: {fault}", "compare columns that have an order")
