"""Repositories over tables in memory. Entities are built for each answer; nobody shares one with the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from loom.adapters.memory.constraints import Row
from loom.adapters.memory.loading import Shown, Views, in_order, load, related_getter
from loom.adapters.memory.transaction import Transaction
from loom.application.queries import Bounds, QueryPlan
from loom.application.units import UnitState
from loom.domain.errors import LoomError
from loom.domain.expr import Expr
from loom.domain.expr_python import to_python
from loom.domain.query import Page, Query
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
    shown: Shown = attrs.field(factory=dict)

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        self.state.check()
        views, deleted_at = self._views, self.plan.schema.deleted_at
        view = views(self._table)
        row = view.get(self.plan.rows.key(key))
        if row is None or (deleted_at and view.value(row, deleted_at) is not None):
            return None
        return self._entities([row], profile, views)[0]

    async def find(self, where: Expr, *, profile: str = "") -> M | None:
        views = self._views
        found = self._matching(self.plan.bounds(Query(where=where)), views)
        return next(iter(self._entities(found[:1], profile, views)), None)

    async def list(self, query: Query) -> Page[M]:
        bounds = self.plan.bounds(query)
        views = self._views
        found = self._matching(bounds, views)[query.offset :]
        entities = self._entities(found[: None if query.limit is None else query.limit + 1], query.profile, views)
        total = await self.count(query.where) if query.total else None
        return self.plan.page(query, bounds.order, entities, total)

    async def pick(self, query: Query, fields: Sequence[str]) -> Page[Mapping[str, Any]]:
        bounds = self.plan.bounds(query)
        found = self._matching(bounds, self._views)[query.offset :]
        names = self.plan.picked(fields, bounds.order)
        positions = [self.plan.schema.names.index(name) for name in names]
        page = found[: None if query.limit is None else query.limit + 1]
        rows = [[row[position] for position in positions] for row in page]
        total = await self.count(query.where) if query.total else None
        return self.plan.picked_page(query, bounds.order, fields, rows, total)

    async def pick_one(self, key: Any, fields: Sequence[str]) -> Mapping[str, Any] | None:
        return next(iter((await self.pick(Query(where=self.plan.is_key(key), limit=1), fields)).items), None)

    async def exists(self, where: Expr) -> bool:
        self.state.check()
        return any(True for _ in self._kept(self.plan.living(where), self._views))

    async def count(self, where: Expr | None = None) -> int:
        self.state.check()
        return sum(1 for _ in self._kept(self.plan.living(where), self._views))

    async def stream(self, query: Query) -> AsyncIterator[M]:
        views = self._views
        found = self._matching(self.plan.bounds(query), views)[query.offset :]
        for entity in self._entities(found[: query.limit], query.profile, views):
            self.state.check()
            yield entity

    async def create(self, values: object) -> M:
        self.state.check_write()
        row = self.plan.rows.insert(values, now=self.clock.now())
        return self.plan.rows.build(self._dooming(lambda: self.transaction().insert(self._table, row)))

    async def create_all(self, values: Sequence[object]) -> Sequence[M]:
        self.state.check_write()
        rows = self.plan.rows.insert_all(values, now=self.clock.now())
        made = self._dooming(lambda: [self.transaction().insert(self._table, row) for row in rows])
        return list(map(self.plan.rows.build, made))

    async def create_many(self, values: Sequence[object]) -> int:
        self.state.check_write()
        now = self.clock.now()
        rows = [self.plan.rows.insert(each, now=now) for each in values]
        self._dooming(lambda: [self.transaction().insert(self._table, row) for row in rows])
        return len(rows)

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M | None:
        self.state.check_write()
        expected = self.plan.rows.expected(expected_version)
        stored = self.plan.rows.key(key)
        changed = self.plan.rows.changes(key, changes, now=self.clock.now())
        row = self._dooming(lambda: self.transaction().update(self._table, stored, changed, expected))
        return None if row is None else self.plan.rows.build(row)

    async def delete(self, key: Any, *, expected_version: int | None = None) -> bool:
        self.state.check_write()
        rows, expected = self.plan.rows, self.plan.rows.expected(expected_version)
        stored = rows.key(key)
        if not rows.schema.deleted_at:
            return self._dooming(lambda: self.transaction().delete(self._table, stored, expected))
        mark = {rows.schema.deleted_at: rows.deletion(now=self.clock.now())}
        return self._dooming(lambda: self.transaction().update(self._table, stored, mark, expected)) is not None

    @property
    def _views(self) -> Views:
        return Views(self.transaction().view, self.shown)

    @property
    def _table(self) -> str:
        return self.plan.schema.table

    def _entities(self, rows: Sequence[Row], profile: str, views: Views) -> Sequence[M]:
        selection = self.plan.selection(profile)
        return list(map(self.plan.rows.build, rows)) if selection is None else load(selection, rows, views)

    def _dooming(self, change: Callable[[], T]) -> T:
        try:
            return change()
        except LoomError as error:
            self.state.failure = error
            raise

    def _matching(self, bounds: Bounds, views: Views) -> Sequence[Row]:
        self.state.check()
        return in_order(self._kept(bounds.page, views), self.plan.schema, bounds.order)

    def _kept(self, where: Expr | None, views: Views) -> Iterable[Row]:
        rows = views(self._table).rows()
        if where is None:
            return rows
        keeps = to_python(where, lambda ref: related_getter(ref, self.plan.schema, views))
        return (row for row in rows if keeps(row) is True)
