"""Statements of lists and counts. Each shape is built and compiled once; another request of it only fills in values.

A shape is what is selected, the order, the shape of the predicate (see ``loom.application.shapes``), and whether there
are a limit and an offset. Limit and offset are parameters, as all constants are. Filters come from outside, so only the
shapes that were used last are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.expressions import Slots
from loom.adapters.sqlalchemy.related import Living, Reach
from loom.adapters.sqlalchemy.statements import Statement, compiled, ordered, readable
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.application.fit import Fit
from loom.application.queries import Bounds
from loom.application.recent import Recent
from loom.application.shapes import MOST_CONSTANTS, MOST_SHAPES, shape_of
from loom.domain.expr import Expr
from loom.domain.query import Sort

Call: TypeAlias = tuple[Statement, tuple[Any, ...]]
"""A prepared statement, and its arguments in order."""

_LIMIT: Final = 0
_OFFSET: Final = 1
_CONSTANTS: Final = 2
"""Where the limit, the offset and the first constant stand among the values of a request."""
_ONE: Final[sa.ColumnElement[Any]] = sa.literal_column("1")


class Selected(Protocol):
    """Protocol of what is selected beside, or instead of, the columns of the table alone."""

    @property
    def columns(self) -> tuple[sa.ColumnElement[Any], ...]:
        """The columns."""

    @property
    def source(self) -> sa.FromClause:
        """What they are selected from."""


@attrs.frozen(eq=False)
class Picked:
    """Some of the columns of a table."""

    columns: tuple[sa.ColumnElement[Any], ...]
    source: sa.FromClause


@attrs.frozen(eq=False)
class Shaped:
    """The statement of one shape, and for each of its parameters which value it takes and what that needs."""

    statement: Statement
    parameters: tuple[tuple[int, Fit | None], ...]

    def call(self, values: Sequence[Any]) -> Call:
        """The statement with the values of one request."""
        return self.statement, tuple([values[at] if fit is None else fit(values[at]) for at, fit in self.parameters])


class ListStatements:
    """The lists and counts of one model.

    Args:
        table: the model's.
        living: what is there at the ends of its relations.
        dialect: of the database.
        filtered: the parameters of the filters in ``living``; each call takes their values as ``seen``, in this order.
    """

    def __init__(self, table: ModelTable, living: Living, dialect: Dialect, filtered: Sequence[str] = ()) -> None:
        self._table = table
        self._living = living
        self._dialect = dialect
        self._filtered = filtered
        self._columns = tuple(readable(column) for column in table.table.c)
        self._shapes: Recent[Shaped] = Recent(MOST_SHAPES)
        self._picked: Recent[Picked] = Recent(MOST_SHAPES)

    def rows(
        self,
        bounds: Bounds,
        selected: Selected | None = None,
        *,
        limit: int | None = None,
        offset: int = 0,
        seen: Sequence[Any] = (),
    ) -> Call:
        """The rows of a query, not more than ``limit`` of them."""
        values: list[Any] = [limit, offset]
        where = bounds.page
        shape = None if where is None else shape_of(where, values)
        key = (selected, bounds.order, shape, limit is None, offset == 0)
        values += seen
        found = self._shapes.get(key)
        if found is None:
            found = self._made(key, values, partial(self._select, where, bounds.order, selected, values))
        return found.call(values)

    def count(self, where: Expr | None, seen: Sequence[Any] = ()) -> Call:
        """How many rows match."""
        values: list[Any] = [None, 0]
        key = ("count", None if where is None else shape_of(where, values))
        values += seen
        found = self._shapes.get(key)
        if found is None:
            found = self._made(key, values, partial(self._matching, sa.func.count(), where))
        return found.call(values)

    def exists(self, where: Expr | None, seen: Sequence[Any] = ()) -> Call:
        """One row where any row matches, and none otherwise."""
        values: list[Any] = [1, 0]
        key = ("exists", None if where is None else shape_of(where, values))
        values += seen
        found = self._shapes.get(key)
        if found is None:
            found = self._made(key, values, lambda slots: self._limited(self._matching(_ONE, where, slots)))
        return found.call(values)

    def only(self, names: tuple[str, ...]) -> Picked:
        """Some of the columns."""
        found = self._picked.get(names)
        if found is not None:
            return found
        columns = zip(self._table.schema.names, self._columns, strict=True)
        picked = Picked(tuple(column for name, column in columns if name in names), self._table.table)
        return self._picked.put(names, picked)

    def _made(self, key: Hashable, values: Sequence[Any], build: Callable[[Slots], sa.Select[Any]]) -> Shaped:
        slots, constants = Slots(), len(values) - _CONSTANTS - len(self._filtered)
        statement = compiled(build(slots), self._dialect)
        if slots.taken != constants:
            raise AssertionError(f"{slots.taken} constants were translated, but {constants} are given")
        places: dict[str, tuple[int, Fit | None]] = {"limit": (_LIMIT, None), "offset": (_OFFSET, None)}
        places |= {name: (_CONSTANTS + number, fit) for name, (number, fit) in slots.fits.items()}
        places |= {name: (_CONSTANTS + constants + at, None) for at, name in enumerate(self._filtered)}
        # Constants of what is selected belong to the statement: whatever a request says, they stay.
        places |= {name: (_LIMIT, _always(value)) for name, value in statement.fixed.items()}
        made = Shaped(statement, tuple(places[name] for name in statement.names))
        return self._shapes.put(key, made) if constants <= MOST_CONSTANTS else made

    def _select(
        self,
        where: Expr | None,
        order: Sequence[Sort],
        selected: Selected | None,
        values: Sequence[Any],
        slots: Slots,
    ) -> sa.Select[Any]:
        reach = self._reach(self._table.table if selected is None else selected.source, slots)
        conditions = [] if where is None else [reach.where(where)]
        columns = self._columns if selected is None else selected.columns
        made = sa.select(*columns).select_from(reach.source).where(*conditions)
        own = self._table.table.c
        made = made.order_by(*(ordered(own[each.column], each, self._dialect.name) for each in order))
        if values[_LIMIT] is not None:
            made = self._limited(made)
        return made.offset(sa.bindparam("offset", type_=sa.BigInteger())) if values[_OFFSET] else made

    def _matching(self, found: sa.ColumnElement[Any], where: Expr | None, slots: Slots) -> sa.Select[Any]:
        reach = self._reach(self._table.table, slots)
        conditions = [] if where is None else [reach.where(where)]
        return sa.select(found).select_from(reach.source).where(*conditions)

    def _limited(self, made: sa.Select[Any]) -> sa.Select[Any]:
        return made.limit(sa.bindparam("limit", type_=sa.BigInteger()))

    def _reach(self, source: sa.FromClause, slots: Slots) -> Reach:
        return Reach(self._table, self._living.tables, self._dialect.name, source, self._living, slots.take)


def _always(value: Any) -> Fit:
    return lambda _: value
