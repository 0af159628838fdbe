"""Repositories over tables in memory. Entities are built for each answer; nobody shares one with the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from loom.adapters.memory.tables import Row, View
from loom.adapters.memory.transaction import Transaction
from loom.application.queries import Bounds, QueryPlan
from loom.application.units import UnitState
from loom.domain.errors import LoomError
from loom.domain.expr import Expr, Ref
from loom.domain.expr_python import Getter, to_python
from loom.domain.query import Page, Query, Sort
from loom.ports.clock import Clock

M = TypeVar("M")
T = TypeVar("T")


@attrs.frozen(eq=False)
class MemoryRepository(Generic[M]):
    """One model in one unit of work. ``transaction`` gives the one to use now: a reader sees the newest state."""

    plan: QueryPlan[M]
    state: UnitState
    transaction: Callable[[], Transaction]
    clock: Clock

    async def get(self, key: Any) -> M | None:
        self.state.check()
        row = self._view().get(self.plan.rows.key(key))
        return None if row is None else self.plan.rows.build(row)

    async def find(self, where: Expr) -> M | None:
        found = self._matching(self.plan.bounds(Query(where=where)))
        return self.plan.rows.build(found[0]) if found else None

    async def list(self, query: Query) -> Page[M]:
        bounds = self.plan.bounds(query)
        found = self._matching(bounds)[query.offset :]
        entities = [self.plan.rows.build(row) for row in found[: None if query.limit is None else query.limit + 1]]
        total = await self.count(query.where) if query.total else None
        return self.plan.page(query, bounds.order, entities, total)

    async def count(self, where: Expr | None = None) -> int:
        self.state.check()
        return sum(1 for _ in self._kept(self.plan.predicate(where)))

    async def stream(self, query: Query) -> AsyncIterator[M]:
        found = self._matching(self.plan.bounds(query))[query.offset :]
        for row in found[: query.limit]:
            self.state.check()
            yield self.plan.rows.build(row)

    async def create(self, values: object) -> M:
        self.state.check_write()
        row = self.plan.rows.insert(values, now=self.clock.now())
        return self.plan.rows.build(self._dooming(lambda: self.transaction().insert(self._table, row)))

    async def create_many(self, values: Sequence[object]) -> int:
        self.state.check_write()
        now = self.clock.now()
        rows = [self.plan.rows.insert(each, now=now) for each in values]
        self._dooming(lambda: [self.transaction().insert(self._table, row) for row in rows])
        return len(rows)

    async def update(self, key: Any, changes: object) -> M | None:
        self.state.check_write()
        stored = self.plan.rows.key(key)
        changed = self.plan.rows.changes(key, changes, now=self.clock.now())
        row = self._dooming(lambda: self.transaction().update(self._table, stored, changed))
        return None if row is None else self.plan.rows.build(row)

    async def delete(self, key: Any) -> bool:
        self.state.check_write()
        stored = self.plan.rows.key(key)
        return self._dooming(lambda: self.transaction().delete(self._table, stored))

    @property
    def _table(self) -> str:
        return self.plan.schema.table

    def _view(self) -> View:
        return self.transaction().view(self._table)

    def _dooming(self, change: Callable[[], T]) -> T:
        try:
            return change()
        except LoomError as error:
            self.state.failure = error
            raise

    def _matching(self, bounds: Bounds) -> Sequence[Row]:
        self.state.check()
        view = self._view()
        found = list(self._kept(bounds.page))
        for each in reversed(bounds.order):
            found.sort(key=_sort_key(view, each), reverse=each.descending)
        return found

    def _kept(self, where: Expr | None) -> Iterable[Row]:
        view = self._view()
        if where is None:
            return view.rows()
        keeps = to_python(where, self._getter)
        return (row for row in view.rows() if keeps(row) is True)

    def _getter(self, ref: Ref) -> Getter:
        position = self.plan.schema.names.index(ref.ref_path[0])
        return lambda row: row[position]


def _sort_key(view: View, sort: Sort) -> Callable[[Row], Any]:
    # False before True: nulls come first ascending, and last where the order is reversed.
    return lambda row: ((value := view.value(row, sort.column)) is not None, value)
