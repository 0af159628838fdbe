"""Statements of one model, built once: those of fixed form as text, the rest as SQLAlchemy constructs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from loom.adapters.sqlalchemy.expressions import Translator
from loom.adapters.sqlalchemy.storage import POSTGRESQL
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.application.queries import Bounds
from loom.domain.expr import Expr
from loom.domain.query import Query, Sort


@attrs.frozen
class Statement:
    """SQL as the driver takes it, and the names of its parameters in their order."""

    sql: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The parameters in order."""
        return tuple([values[name] for name in self.names])


def compiled(construct: sa.ClauseElement, dialect: Dialect) -> Statement:
    """Render a construct whose form does not depend on its values."""
    made = cast("SQLCompiler", construct.compile(dialect=dialect))
    return Statement(str(made), tuple(made.positiontup or ()))


def parameters(table: ModelTable, names: Iterable[str]) -> dict[str, sa.BindParameter[Any]]:
    """A parameter for each of the named columns, of the same name."""
    return {name: sa.bindparam(name, type_=table.storages[name].bind) for name in names}


class ModelStatements:
    """All statements of one model. Those for single rows bypass SQLAlchemy's compiler when they run."""

    def __init__(self, table: ModelTable, dialect: Dialect) -> None:
        self._table = table
        self._dialect = dialect
        self.columns = [_readable(column) for column in table.table.c]
        self._translator = Translator(table, dialect.name)
        self._updates: dict[tuple[tuple[str, ...], bool], Statement] = {}
        names = table.schema.names
        counted = [field.name for field in table.schema.fields if not field.options.autoincrement]
        self.get = compiled(sa.select(*self.columns).where(self._is_row()), dialect)
        self._deletes: dict[bool, Statement] = {}
        self.insert = self._insert(names, returning=True)
        self.insert_counted = self._insert(counted, returning=True)
        self.insert_many = self._insert(names, returning=False)
        self.insert_many_counted = self._insert(counted, returning=False)

    def update(self, names: Iterable[str], *, expected: bool = False) -> Statement:
        """The update of the named columns by key, which counts the version up. Parameters are ``set_<name>``,
        ``key_<name>`` and, where a version is expected, ``expected``."""
        wanted = tuple(names)
        found = self._updates.get((wanted, expected))
        if found is None:
            values: dict[str, Any] = {name: self._parameter(f"set_{name}", name) for name in wanted}
            version = self._table.schema.version
            if version:
                values[version] = self._table.table.c[version] + sa.literal_column("1")
            made = sa.update(self._table.table).where(self._is_row(expected)).values(values).returning(*self.columns)
            found = self._updates[wanted, expected] = compiled(made, self._dialect)
        return found

    def delete(self, *, expected: bool = False) -> Statement:
        """The deletion by key, with the parameters of ``update``. Soft deletion is an update."""
        found = self._deletes.get(expected)
        if found is None:
            made = sa.delete(self._table.table).where(self._is_row(expected))
            found = self._deletes[expected] = compiled(made, self._dialect)
        return found

    def page(self, bounds: Bounds, query: Query) -> sa.Select[Any]:
        """The rows of a page and one more, which tells whether another page follows."""
        limit = None if query.limit is None else query.limit + 1
        return self._select(bounds, limit=limit, offset=query.offset)

    def stream(self, bounds: Bounds, query: Query) -> sa.Select[Any]:
        """All rows of a query."""
        return self._select(bounds, limit=query.limit, offset=query.offset)

    def count(self, where: Expr | None) -> sa.Select[Any]:
        """How many rows match."""
        made = sa.select(sa.func.count()).select_from(self._table.table)
        return made if where is None else made.where(self._translator.where(where))

    def _select(self, bounds: Bounds, *, limit: int | None, offset: int) -> sa.Select[Any]:
        made = sa.select(*self.columns).order_by(*(self._order(each) for each in bounds.order))
        if bounds.page is not None:
            made = made.where(self._translator.where(bounds.page))
        if limit is not None:
            made = made.limit(limit)
        return made.offset(offset) if offset else made

    def _order(self, sort: Sort) -> sa.ColumnElement[Any]:
        column = self._table.table.c[sort.column]
        ordered = column.desc() if sort.descending else column.asc()
        if not column.nullable or self._dialect.name != POSTGRESQL:
            # SQLite takes null for the smallest value by itself.
            return ordered
        return ordered.nulls_last() if sort.descending else ordered.nulls_first()

    def _insert(self, names: Sequence[str], *, returning: bool) -> Statement:
        made = sa.insert(self._table.table).values(parameters(self._table, names))
        return compiled(made.returning(*self.columns) if returning else made.inline(), self._dialect)

    def _is_row(self, expected: bool = False) -> sa.ColumnElement[bool]:
        schema, columns = self._table.schema, self._table.table.c
        parts = [column == self._parameter(f"key_{column.name}", column.name) for column in self._table.key_columns]
        if schema.deleted_at:
            parts.append(columns[schema.deleted_at].is_(None))
        if expected:
            parts.append(columns[schema.version] == self._parameter("expected", schema.version))
        return sa.and_(*parts)

    def _parameter(self, name: str, column: str) -> sa.BindParameter[Any]:
        return sa.bindparam(name, type_=self._table.storages[column].bind)


def _readable(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """JSON is read as text: the codec reads it once, and better than the driver's parser in between."""
    return sa.cast(column, sa.Text).label(column.name) if isinstance(column.type, sa.JSON) else column
