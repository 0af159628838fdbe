"""Tables in memory: immutable versions that readers share, and private views that a transaction changes.

A committed version is never changed: a commit publishes a new one, so a transaction keeps the state that it began
with for as long as it holds the old one. Rows are tuples of plain values; nobody can change one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from loom.adapters.memory.constraints import Constraints, Group, Row, constraints_of
from loom.application.rows import RowPlan
from loom.domain.errors import Conflict

Key: TypeAlias = tuple[Any, ...]


@attrs.frozen(eq=False)
class Reference:
    """A field of one table whose values must exist in a column of another."""

    table: str
    field: str
    target: str
    column: str
    on_delete: str


@attrs.frozen(eq=False)
class Table:
    """One committed version of a table, with the keys of its rows by unique value, for each group of the constraints.
    ``counter`` is the last number."""

    plan: RowPlan[Any]
    constraints: Constraints
    rows: Mapping[Key, Row]
    unique: Sequence[Mapping[Any, Key]]
    counter: int = 0

    @classmethod
    def empty(cls, plan: RowPlan[Any]) -> Table:
        """The first version."""
        constraints = constraints_of(plan.schema)
        return cls(plan, constraints, {}, [{} for _ in constraints.groups])


@attrs.define(eq=False)
class View:
    """What one transaction sees of a table: the version that it began with, and its own changes on top."""

    base: Table
    counter: int = attrs.field(init=False)
    changes: dict[Key, Row | None] = attrs.field(factory=dict, init=False)
    _groups: tuple[Group, ...] = attrs.field(init=False)
    _added: list[dict[Any, Key]] = attrs.field(init=False)
    _positions: dict[str, int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.counter = self.base.counter
        self._groups = self.base.constraints.groups
        self._added = [{} for _ in self._groups]
        self._positions = {name: position for position, name in enumerate(self.base.plan.schema.names)}

    def get(self, key: Key) -> Row | None:
        """The row of that key."""
        return self.changes[key] if key in self.changes else self.base.rows.get(key)

    def rows(self) -> Iterator[Row]:
        """All rows, in no order."""
        for key, row in self.base.rows.items():
            if key not in self.changes:
                yield row
        yield from [row for row in self.changes.values() if row is not None]

    def value(self, row: Row, column: str) -> Any:
        """One column of a row."""
        return row[self._positions[column]]

    def changed(self, row: Row, column: str, value: Any) -> Row:
        """The row with another value in one column."""
        position = self._positions[column]
        return (*row[:position], value, *row[position + 1 :])

    def put(self, key: Key, row: Row) -> None:
        """Insert or replace a row.

        Raises:
            Conflict: another row has one of its unique values; nothing is changed then.
        """
        self.check_unique(key, row)
        old = self.get(key)
        if old is not None:
            self._forget(key, old)
        self._remember(key, row)
        self.changes[key] = row

    def remove(self, key: Key, row: Row) -> None:
        """Remove a row that exists."""
        self._forget(key, row)
        self.changes[key] = None

    def check_unique(self, key: Key, row: Row) -> None:
        """Refuse a row whose unique values another row has.

        Raises:
            Conflict: naming the fields.
        """
        taken = [
            name
            for number, group in enumerate(self._groups)
            if (value := group.value(row)) is not None and self._holder(number, value) not in (None, key)
            for name in group.columns
        ]
        if taken:
            raise taken_error(self.base.plan.schema.table, list(dict.fromkeys(taken)))

    def replay(self, older: View) -> None:
        """Take over the changes of a view of an older version.

        Raises:
            Conflict: a row of this version has one of their unique values.
        """
        self.counter = max(self.counter, older.counter)
        # All of them first: a row may take the unique value that another one gives up.
        self.changes = dict(older.changes)
        for key, row in older.changes.items():
            if row is not None:
                self.check_unique(key, row)
        for key, row in older.changes.items():
            if row is not None:
                self._remember(key, row)

    def has(self, column: str, value: Any) -> bool:
        """Whether some row has this value in a key or unique column."""
        for number, group in enumerate(self._groups):
            if group.columns == (column,) and group.where is None:
                return self._holder(number, value) is not None
        return self.get((value,)) is not None

    def published(self) -> Table:
        """The version that a commit makes of this view."""
        rows = dict(self.base.rows)
        unique = [dict(index) for index in self.base.unique]
        for key, row in self.changes.items():
            old = rows.pop(key, None)
            for group, index in zip(self._groups, unique, strict=True):
                if old is not None and index.get(before := group.value(old)) == key:
                    del index[before]
                if row is not None and (value := group.value(row)) is not None:
                    index[value] = key
            if row is not None:
                rows[key] = row
        return Table(self.base.plan, self.base.constraints, rows, unique, self.counter)

    def _holder(self, number: int, value: Any) -> Key | None:
        """The key of the row that has this value in a unique group."""
        added = self._added[number].get(value)
        if added is not None:
            return added
        key = self.base.unique[number].get(value)
        return None if key is None or key in self.changes else key

    def _remember(self, key: Key, row: Row) -> None:
        for group, added in zip(self._groups, self._added, strict=True):
            if (value := group.value(row)) is not None:
                added[value] = key

    def _forget(self, key: Key, row: Row) -> None:
        for group, added in zip(self._groups, self._added, strict=True):
            if added.get(value := group.value(row)) == key:
                del added[value]


def taken_error(table: str, fields: list[str]) -> Conflict:
    """The conflict of a value that another row has."""
    return Conflict(f"{table}: another row has the same {', '.join(fields)}", fields=fields)
