"""Statements of single rows of one model, compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from loom.adapters.sqlalchemy.storage import POSTGRESQL
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.application.recent import Recent
from loom.domain.query import Sort

_MOST_UPDATES: Final = 200


@attrs.frozen(eq=False, repr=False)
class Statement:
    """SQL as the driver takes it, the names of its parameters in order, and the values of those that are fixed."""

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any] = attrs.field(factory=dict)

    def arguments(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters in order."""
        given = {**self.fixed, **values} if self.fixed else values
        return tuple([given[name] for name in self.names])


def compiled(construct: sa.ClauseElement, dialect: Dialect) -> Statement:
    """Render a construct whose form does not depend on its values."""
    made = cast("SQLCompiler", construct.compile(dialect=dialect))
    fixed = {name: value for name, value in made.params.items() if value is not None}
    return Statement(str(made), tuple(made.positiontup or ()), fixed)


def parameters(table: ModelTable, names: Iterable[str]) -> dict[str, sa.BindParameter[Any]]:
    """A parameter for each of the named columns, of the same name."""
    return {name: sa.bindparam(name, type_=table.storages[name].bind) for name in names}


class ModelStatements:
    """The statements of single rows of one model, each compiled when it is first needed: most models need few."""

    def __init__(self, table: ModelTable, dialect: Dialect) -> None:
        self._table = table
        self._dialect = dialect
        self.columns = tuple(readable(column) for column in table.table.c)
        # Which columns change is said from outside, and any set of them may be.
        self._updates: Recent[Statement] = Recent(_MOST_UPDATES)
        self._deletes: dict[bool, Statement] = {}
        self._inserts: dict[tuple[int, bool], Statement] = {}

    @cached_property
    def get(self) -> Statement:
        """The row of a key, with the parameters ``key_<name>``."""
        return compiled(sa.select(*self.columns).where(is_row(self._table)), self._dialect)

    @cached_property
    def insert(self) -> Statement:
        """The insertion of one row, which gives it back. Parameters are the columns."""
        return self._insert(self._table.schema.names, returning=True)

    @cached_property
    def insert_counted(self) -> Statement:
        """As ``insert``, without the key that the database counts."""
        return self._insert(self._uncounted, returning=True)

    @cached_property
    def insert_many(self) -> Statement:
        """As ``insert``, for many rows that are not given back."""
        return self._insert(self._table.schema.names, returning=False)

    @cached_property
    def insert_many_counted(self) -> Statement:
        """As ``insert_many``, without the key that the database counts."""
        return self._insert(self._uncounted, returning=False)

    def update(self, names: Iterable[str], *, expected: bool = False) -> Statement:
        """The update of the named columns by key, which counts the version up. Parameters are ``set_<name>``,
        ``key_<name>`` and, where a version is expected, ``expected``."""
        wanted = tuple(names)
        key = (wanted, expected)
        found = self._updates.get(key)
        if found is None:
            values: dict[str, Any] = {name: _parameter(self._table, f"set_{name}", name) for name in wanted}
            version = self._table.schema.version
            if version:
                values[version] = self._table.table.c[version] + sa.literal_column("1")
            made = (
                sa.update(self._table.table)
                .where(is_row(self._table, expected))
                .values(values)
                .returning(*self.columns)
            )
            found = self._updates.put(key, compiled(made, self._dialect))
        return found

    def delete(self, *, expected: bool = False) -> Statement:
        """The deletion by key, with the parameters of ``update``. Soft deletion is an update."""
        found = self._deletes.get(expected)
        if found is None:
            made = sa.delete(self._table.table).where(is_row(self._table, expected))
            found = self._deletes[expected] = compiled(made, self._dialect)
        return found

    def insert_rows(self, count: int, *, counted: bool) -> Statement:
        """The insertion of so many rows at once. Parameters stand in the order of the rows, and of the columns in each;
        counted keys are left out."""
        found = self._inserts.get((count, counted))
        if found is None:
            names = [field.name for field in self._table.schema.fields if not (counted and field.options.autoincrement)]
            rows = [{name: _parameter(self._table, f"{name}_{row}", name) for name in names} for row in range(count)]
            made = sa.insert(self._table.table).values(rows).returning(*self.columns)
            found = self._inserts[count, counted] = compiled(made, self._dialect)
        return found

    @property
    def _uncounted(self) -> list[str]:
        return [field.name for field in self._table.schema.fields if not field.options.autoincrement]

    def _insert(self, names: Sequence[str], *, returning: bool) -> Statement:
        made = sa.insert(self._table.table).values(parameters(self._table, names))
        return compiled(made.returning(*self.columns) if returning else made.inline(), self._dialect)


def is_row(table: ModelTable, expected: bool = False) -> sa.ColumnElement[bool]:
    """The row of a key that is not deleted. Parameters are ``key_<name>`` and, where a version is, ``expected``."""
    schema, columns = table.schema, table.table.c
    parts = [column == _parameter(table, f"key_{column.name}", column.name) for column in table.key_columns]
    if schema.deleted_at:
        parts.append(columns[schema.deleted_at].is_(None))
    if expected:
        parts.append(columns[schema.version] == _parameter(table, "expected", schema.version))
    return sa.and_(*parts)


def ordered(column: sa.ColumnElement[Any], sort: Sort, dialect: str) -> sa.ColumnElement[Any]:
    """An order by a column in which nulls come first ascending and last descending."""
    made = column.desc() if sort.descending else column.asc()
    if dialect != POSTGRESQL or not getattr(column, "nullable", True):
        # SQLite takes null for the smallest value by itself.
        return made
    return made.nulls_last() if sort.descending else made.nulls_first()


def readable(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """JSON is read as text: the codec reads it once, and better than the driver's parser in between."""
    return sa.cast(column, sa.Text).label(column.key) if isinstance(column.type, sa.JSON) else column


def _parameter(table: ModelTable, name: str, column: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=table.storages[column].bind)
