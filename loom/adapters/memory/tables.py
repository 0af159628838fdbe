"""Tables in memory: immutable versions that readers share, and private views that a transaction changes.

A committed version is never changed: a commit publishes a new one, so a transaction keeps the state that it began
with for as long as it holds the old one. Rows are tuples of plain values; nobody can change one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from loom.application.rows import RowPlan
from loom.domain.errors import Conflict
from loom.domain.model import FieldSchema

Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = tuple[Any, ...]


@attrs.frozen(eq=False)
class Reference:
    """A field of one table whose values must exist in a column of another."""

    table: str
    field: str
    target: str
    column: str


@attrs.frozen(eq=False)
class Table:
    """One committed version of a table, with the keys of its rows by unique value. ``counter`` is the last number."""

    plan: RowPlan[Any]
    rows: Mapping[Key, Row]
    unique: Mapping[str, Mapping[Any, Key]]
    counter: int = 0

    @classmethod
    def empty(cls, plan: RowPlan[Any]) -> Table:
        """The first version."""
        return cls(plan, {}, {field.name: {} for field in unique_fields(plan)})


def unique_fields(plan: RowPlan[Any]) -> list[FieldSchema]:
    """Fields that are unique without being the key."""
    return [field for field in plan.schema.fields if field.options.unique]


@attrs.define(eq=False)
class View:
    """What one transaction sees of a table: the version that it began with, and its own changes on top."""

    base: Table
    counter: int = attrs.field(init=False)
    changes: dict[Key, Row | None] = attrs.field(factory=dict, init=False)
    _added: dict[str, dict[Any, Key]] = attrs.field(init=False)
    _positions: dict[str, int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.counter = self.base.counter
        self._added = {name: {} for name in self.base.unique}
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
            for name in self._added
            if (value := self.value(row, name)) is not None and self.holder(name, value) not in (None, key)
        ]
        if taken:
            raise taken_error(self.base.plan.schema.table, taken)

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

    def holder(self, name: str, value: Any) -> Key | None:
        """The key of the row that has this value in a unique field."""
        added = self._added[name].get(value)
        if added is not None:
            return added
        key = self.base.unique[name].get(value)
        return None if key is None or key in self.changes else key

    def has(self, column: str, value: Any) -> bool:
        """Whether some row has this value in a key or unique column."""
        if column in self._added:
            return self.holder(column, value) is not None
        return self.get((value,)) is not None

    def published(self) -> Table:
        """The version that a commit makes of this view."""
        rows = dict(self.base.rows)
        unique = {name: dict(index) for name, index in self.base.unique.items()}
        for key, row in self.changes.items():
            old = rows.pop(key, None)
            for name, index in unique.items():
                if old is not None and index.get(self.value(old, name)) == key:
                    del index[self.value(old, name)]
                if row is not None and self.value(row, name) is not None:
                    index[self.value(row, name)] = key
            if row is not None:
                rows[key] = row
        return Table(self.base.plan, rows, unique, self.counter)

    def _remember(self, key: Key, row: Row) -> None:
        for name, added in self._added.items():
            if self.value(row, name) is not None:
                added[self.value(row, name)] = key

    def _forget(self, key: Key, row: Row) -> None:
        for name, added in self._added.items():
            if added.get(self.value(row, name)) == key:
                del added[self.value(row, name)]


def taken_error(table: str, fields: list[str]) -> Conflict:
    """The conflict of a value that another row has."""
    return Conflict(f"{table}: another row has the same {', '.join(fields)}", fields=fields)
