"""Tables made from models, and what their constraints mean in the words of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from loom.adapters.sqlalchemy.names import Names, names_of
from loom.adapters.sqlalchemy.storage import SQLITE, Storage, storage_of
from loom.domain.errors import CheckFailed
from loom.domain.model import FieldSchema, ModelSchema

_ON_DELETE = {"cascade": "CASCADE", "set_null": "SET NULL"}


@attrs.frozen(eq=False, repr=False)
class Reference:
    """A field whose values must exist in a column of another table."""

    table: str
    field: str
    target: str
    column: str
    on_delete: str


@attrs.frozen(eq=False, repr=False)
class ModelTable:
    """A model's table in one database, and how its columns are kept."""

    schema: ModelSchema
    table: sa.Table
    storages: Mapping[str, Storage]

    @property
    def key_columns(self) -> list[sa.Column[Any]]:
        """The columns that identify a row."""
        return [self.table.c[field.name] for field in self.schema.keys]


@attrs.frozen(eq=False, repr=False)
class Catalogue:
    """All tables of one store.

    Attributes:
        metadata: what is created.
        tables: by name.
        unique: fields by the name of the constraint that keeps them unique.
        references: by the name of their constraint.
        names: of constraints and indexes.
        checks: what makes the error of a broken check, by the name of its constraint.
    """

    metadata: sa.MetaData
    tables: Mapping[str, ModelTable]
    unique: Mapping[str, tuple[str, ...]]
    references: Mapping[str, Reference]
    names: Names
    checks: Mapping[str, Callable[[], CheckFailed]] = attrs.field(factory=dict)


def catalogue_of(schemas: Iterable[ModelSchema], dialect: str) -> Catalogue:
    """Make the tables of compiled models for the database of that name."""
    metadata, compiled = sa.MetaData(), list(schemas)
    names = names_of(compiled)
    tables = {schema.table: _table(schema, metadata, dialect, names) for schema in compiled}
    unique: dict[str, tuple[str, ...]] = {}
    references: dict[str, Reference] = {}
    for made in tables.values():
        schema = made.schema
        unique[names.of("pk", schema.table)] = tuple(field.name for field in schema.keys)
        for reference in references_of(schema):
            references[names.of("fk", schema.table, reference.field)] = reference
    return Catalogue(metadata, tables, unique, references, names)


def references_of(schema: ModelSchema) -> Iterator[Reference]:
    """The references that a model declares."""
    for field in schema.fields:
        if field.options.references is not None:
            target, _, column = field.options.references.rpartition(".")
            yield Reference(schema.table, field.name, target, column, field.options.on_delete)


def _table(schema: ModelSchema, metadata: sa.MetaData, dialect: str, names: Names) -> ModelTable:
    storages = {field.name: storage_of(field, dialect) for field in schema.fields}
    keys = [field.name for field in schema.keys]
    table = sa.Table(
        schema.table,
        metadata,
        *(_column(field, storages[field.name]) for field in schema.fields),
        sa.PrimaryKeyConstraint(*keys, name=names.of("pk", schema.table)),
        *_constraints(schema, names),
        **_counting(schema, dialect),
    )
    return ModelTable(schema, table, storages)


def _counting(schema: ModelSchema, dialect: str) -> dict[str, Any]:
    # Numbers of deleted rows are not given again, as in PostgreSQL. An option of a dialect imports that dialect.
    counts = dialect == SQLITE and any(field.options.autoincrement for field in schema.fields)
    return {"sqlite_autoincrement": True} if counts else {}


def _column(field: FieldSchema, storage: Storage) -> sa.Column[Any]:
    options: dict[str, Any] = {"nullable": field.type.nullable and not field.options.key}
    if field.options.key:
        # Left to itself SQLAlchemy counts every integer key.
        options["autoincrement"] = field.options.autoincrement
    counted = [sa.Identity(always=False)] if field.options.autoincrement else []
    return sa.Column(field.name, storage.column, *counted, **options)


def _constraints(schema: ModelSchema, names: Names) -> Iterator[sa.schema.SchemaItem]:
    for field in schema.fields:
        if field.options.index:
            yield sa.Index(names.of("ix", schema.table, field.name), field.name)
    for each in references_of(schema):
        name = names.of("fk", schema.table, each.field)
        rule = _ON_DELETE.get(each.on_delete)
        yield sa.ForeignKeyConstraint([each.field], [f"{each.target}.{each.column}"], name=name, ondelete=rule)
