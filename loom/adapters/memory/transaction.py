"""Transactions in memory: snapshot isolation, unique values and references checked, the first committer wins."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from loom.adapters.memory.answers import HeldAnswer
from loom.adapters.memory.constraints import Row
from loom.adapters.memory.outbox_log import OutboxLog
from loom.adapters.memory.tables import Key, Reference, Table, View
from loom.application.rows import RowPlan
from loom.application.units import dangling, other_version
from loom.domain.errors import Conflict, Overtaken
from loom.domain.events import OutboxRecord
from loom.domain.model import ModelSchema


@attrs.define(eq=False)
class Store:
    """What is committed. ``tables`` is replaced as a whole, never changed in place."""

    tables: Mapping[str, Table] = attrs.field(factory=dict)
    references: Sequence[Reference] = ()
    inbox: set[tuple[str, uuid.UUID]] = attrs.field(factory=set)
    answers: dict[str, HeldAnswer] = attrs.field(factory=dict)
    outbox: OutboxLog = attrs.field(factory=OutboxLog)
    lock: threading.RLock = attrs.field(factory=threading.RLock)

    def add_tables(self, plans: Sequence[RowPlan[Any]]) -> None:
        """Make the tables that are missing; those that exist keep their rows."""
        with self.lock:
            made = {plan.schema.table: Table.empty(plan) for plan in plans}
            self.tables = {**made, **self.tables}
            self.references = [ref for table in self.tables.values() for ref in _references(table.plan.schema)]


@attrs.define(eq=False)
class Transaction:
    """The private changes of one unit of work, over the versions that were committed when it began."""

    store: Store
    outbox: list[OutboxRecord] = attrs.field(factory=list, init=False)
    inbox: set[tuple[str, uuid.UUID]] = attrs.field(factory=set, init=False)
    answers: dict[str, HeldAnswer] = attrs.field(factory=dict, init=False)
    claimed: dict[str, HeldAnswer | None] = attrs.field(factory=dict, init=False)
    _began: Mapping[str, Table] = attrs.field(init=False)
    _views: dict[str, View] = attrs.field(factory=dict, init=False)
    _expected: set[tuple[str, Key]] = attrs.field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._began = self.store.tables

    def view(self, table: str) -> View:
        """What this transaction sees of a table."""
        found = self._views.get(table)
        if found is None:
            found = self._views[table] = View(self._began[table])
        return found

    def insert(self, table: str, row: Sequence[Any]) -> Row:
        """Add a row; counts the key up where the row has none.

        Raises:
            CheckFailed: it breaks a check.
            Conflict: a key or unique value is taken, or a referenced row is missing.
        """
        view = self.view(table)
        plan = view.base.plan
        made = tuple(row)
        if plan.auto is not None:
            position = plan.key_positions[0]
            number = view.counter + 1 if row[position] is None else row[position]
            view.counter = max(view.counter, number)
            made = (*row[:position], number, *row[position + 1 :])
        view.base.constraints.check(made)
        key = plan.key_of(made)
        if view.get(key) is not None:
            names = [field.name for field in plan.schema.keys]
            raise Conflict(f"{table}: another row has the same {', '.join(names)}", fields=names)
        view.put(key, made)
        self._check_targets(table, made)
        return made

    def update(self, table: str, key: Key, changes: Mapping[str, Any], expected: int | None = None) -> Row | None:
        """Change a row; ``None`` where there is none. ``expected`` is the version that it must have.

        Raises:
            PreconditionFailed: it has another version.
            CheckFailed: it would break a check.
            Conflict: a unique value is taken, a referenced row is missing, or a row refers to the old value.
        """
        view = self.view(table)
        old = self._found(table, key, expected)
        if old is None:
            return None
        schema = view.base.plan.schema
        if schema.version:
            changes = {**changes, schema.version: view.value(old, schema.version) + 1}
        row = tuple(changes.get(name, value) for name, value in zip(schema.names, old, strict=True))
        view.base.constraints.check(row)
        view.put(key, row)
        self._check_targets(table, row)
        self._check_sources(table, old, row)
        return row

    def delete(self, table: str, key: Key, expected: int | None = None) -> bool:
        """Remove a row; ``False`` where there is none. ``expected`` is the version that it must have.

        Raises:
            PreconditionFailed: it has another version.
            Conflict: other rows refer to it.
        """
        old = self._found(table, key, expected)
        if old is None:
            return False
        removed: list[tuple[str, Row]] = []
        self._remove(table, key, old, removed)
        # Only now: what refuses may be among what goes.
        for name, row in removed:
            self._check_sources(name, row, None)
        return True

    def commit(self) -> None:
        """Publish all changes at once, or none.

        Raises:
            PreconditionFailed: another transaction that committed since this one began changed a row of which a version
                was expected.
            Conflict: such a transaction changed another row that this one changed, handled the same message, or broke a
                unique value or reference together with this one.
        """
        store = self.store
        with store.lock:
            if not self.inbox.isdisjoint(store.inbox):
                raise _overtaken("loom_inbox")
            if any(store.answers.get(key) is not seen for key, seen in self.claimed.items()):
                raise Overtaken("another unit of work took the same idempotency key first")
            if store.tables is not self._began:
                self._rebase()
            changed = {name: view.published() for name, view in self._views.items() if view.changes}
            if changed:
                store.tables = {**store.tables, **changed}
            store.inbox |= self.inbox
            store.answers |= self.answers
            store.outbox.append(self.outbox)

    def _rebase(self) -> None:
        """Move the changes onto what is committed now, and check again what they depend on."""
        mine, self._views, self._began = self._views, {}, self.store.tables
        for name, old in mine.items():
            latest = self._began[name]
            moved = [key for key in old.changes if latest.rows.get(key) is not old.base.rows.get(key)]
            if any((name, key) in self._expected for key in moved):
                raise other_version(name)
            if moved:
                raise _overtaken(name)
            self.view(name).replay(old)
        for name, key, row in _changes(mine):
            before = self._began[name].rows.get(key)
            if row is not None:
                self._check_targets(name, row)
            if before is not None:
                self._check_sources(name, before, row)

    def _remove(self, table: str, key: Key, row: Row, removed: list[tuple[str, Row]]) -> None:
        """Take a row away, and do to those that refer to it what their references say."""
        view = self.view(table)
        view.remove(key, row)
        removed.append((table, row))
        for ref in self.store.references:
            if ref.target != table or ref.on_delete not in ("cascade", "set_null"):
                continue
            source, value = self.view(ref.table), view.value(row, ref.column)
            for each in [each for each in source.rows() if source.value(each, ref.field) == value]:
                own = source.base.plan.key_of(each)
                if ref.on_delete == "set_null":
                    source.put(own, source.changed(each, ref.field, None))
                elif source.get(own) is not None:
                    self._remove(ref.table, own, each, removed)

    def _found(self, table: str, key: Key, expected: int | None) -> Row | None:
        """The row of that key, unless it is deleted."""
        view = self.view(table)
        schema = view.base.plan.schema
        row = view.get(key)
        if row is None or (schema.deleted_at and view.value(row, schema.deleted_at) is not None):
            return None
        if expected is not None:
            if view.value(row, schema.version) != expected:
                raise other_version(table)
            self._expected.add((table, key))
        return row

    def _check_targets(self, table: str, row: Row) -> None:
        view = self.view(table)
        missing = [
            ref.field
            for ref in self.store.references
            if ref.table == table
            and (value := view.value(row, ref.field)) is not None
            and not self.view(ref.target).has(ref.column, value)
        ]
        if missing:
            raise dangling(table, missing)

    def _check_sources(self, table: str, old: Row, new: Row | None) -> None:
        view = self.view(table)
        for ref in self.store.references:
            if ref.target != table:
                continue
            value = view.value(old, ref.column)
            if value is None or (new is not None and view.value(new, ref.column) == value):
                continue
            source = self.view(ref.table)
            if any(source.value(row, ref.field) == value for row in source.rows()):
                raise Conflict(f"{table}: rows of {ref.table} still refer to it by {ref.field}", fields=[ref.column])


def _references(schema: ModelSchema) -> Iterator[Reference]:
    for field in schema.fields:
        if field.options.references is not None:
            target, _, column = field.options.references.rpartition(".")
            yield Reference(schema.table, field.name, target, column, field.options.on_delete)


def _changes(views: Mapping[str, View]) -> Iterator[tuple[str, Key, Row | None]]:
    for name, view in views.items():
        for key, row in view.changes.items():
            yield name, key, row


def _overtaken(table: str) -> Conflict:
    return Overtaken(f"{table}: another unit of work changed the same row first", remedy="run the unit of work again")
