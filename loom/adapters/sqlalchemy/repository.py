"""Repositories over tables of a database: one statement for each call, rows structured straight into entities."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Generic, TypeVar

import attrs

from loom.adapters.sqlalchemy.errors import ForeignKeyFailed
from loom.adapters.sqlalchemy.foreign_keys import ForeignKeys
from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.session import CHUNK, Session
from loom.adapters.sqlalchemy.statements import Statement
from loom.application.queries import QueryPlan
from loom.application.rows import RowPlan
from loom.domain.expr import Expr
from loom.domain.query import Page, Query
from loom.ports.clock import Clock

M = TypeVar("M")


@attrs.frozen(eq=False)
class SqlRepository(Generic[M]):
    """One model in one unit of work."""

    model: StoredModel
    session: Session
    clock: Clock
    foreign_keys: ForeignKeys

    async def get(self, key: Any) -> M | None:
        statement = self.model.statements.get
        rows = await self.session.rows(statement, statement.arguments(self._key_values(key)))
        return self._rows.build(rows[0]) if rows else None

    async def find(self, where: Expr) -> M | None:
        # One row more than the limit is what a page asks for.
        query = Query(where=where, limit=0)
        rows = await self.session.select(self.model.statements.page(self._plan.bounds(query), query))
        return self._rows.build(rows[0]) if rows else None

    async def list(self, query: Query) -> Page[M]:
        bounds = self._plan.bounds(query)
        rows = await self.session.select(self.model.statements.page(bounds, query))
        total = await self._count(bounds.where) if query.total else None
        return self._plan.page(query, bounds.order, list(map(self._rows.build, rows)), total)

    async def count(self, where: Expr | None = None) -> int:
        return await self._count(self._plan.predicate(where))

    async def stream(self, query: Query) -> AsyncIterator[M]:
        build = self._rows.build
        bounds = self._plan.bounds(query)
        async for rows in self.session.stream(self.model.statements.stream(bounds, query)):
            for row in rows:
                yield build(row)

    async def create(self, values: object) -> M:
        self.session.state.check_write()
        row = self._rows.insert(values, now=self.clock.now())
        counted = self._is_counted(row)
        statement = self.model.statements.insert_counted if counted else self.model.statements.insert
        try:
            made = await self.session.rows(statement, self._arguments(statement, row), table=self._table)
        except ForeignKeyFailed as error:
            raise await self.foreign_keys.dangling(self.session, self._table, [row]) from error
        if self._rows.auto is not None and not counted:
            await self.foreign_keys.count_on(self.session, self._table, self._rows.auto)
        return self._rows.build(made[0])

    async def create_many(self, values: Sequence[object]) -> int:
        self.session.state.check_write()
        rows = await self._fitting(values)
        counted = [row for row in rows if self._is_counted(row)]
        given = [row for row in rows if not self._is_counted(row)] if counted else rows
        statements = self.model.statements
        await self._insert_many(statements.insert_many, given)
        if self._rows.auto is not None and given:
            await self.foreign_keys.count_on(self.session, self._table, self._rows.auto)
        await self._insert_many(statements.insert_many_counted, counted)
        return len(rows)

    async def update(self, key: Any, changes: object) -> M | None:
        self.session.state.check_write()
        changed = self._rows.changes(key, changes, now=self.clock.now())
        if not changed:
            return await self.get(key)
        statement = self.model.statements.update(changed)
        values = self._key_values(key) | {f"set_{name}": value for name, value in changed.items()}
        try:
            rows = await self.session.rows(statement, statement.arguments(values), table=self._table)
        except ForeignKeyFailed as error:
            raise await self.foreign_keys.broken(self.session, self._table, self._rows.key(key), changed) from error
        return self._rows.build(rows[0]) if rows else None

    async def delete(self, key: Any) -> bool:
        self.session.state.check_write()
        statement = self.model.statements.delete
        arguments = statement.arguments(self._key_values(key))
        try:
            return await self.session.run(statement, arguments, table=self._table) > 0
        except ForeignKeyFailed as error:
            raise await self.foreign_keys.broken(self.session, self._table, self._rows.key(key), {}) from error

    @property
    def _plan(self) -> QueryPlan[M]:
        return self.model.plan

    @property
    def _rows(self) -> RowPlan[M]:
        return self.model.plan.rows

    @property
    def _table(self) -> str:
        return self.model.table.schema.table

    async def _count(self, where: Expr | None) -> int:
        found = await self.session.select(self.model.statements.count(where))
        return int(found[0][0])

    async def _fitting(self, values: Sequence[object]) -> Sequence[Sequence[Any]]:
        """All rows before the first statement, so that a value that does not fit changes nothing."""
        now = self.clock.now()
        rows = []
        for start in range(0, len(values), CHUNK):
            rows += [self._rows.insert(each, now=now) for each in values[start : start + CHUNK]]
            # Many rows take a while; others are let in between.
            await asyncio.sleep(0)
        return rows

    async def _insert_many(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        arguments = (self._arguments(statement, row) for row in rows)
        try:
            await self.session.run_many(statement, arguments, table=self._table)
        except ForeignKeyFailed as error:
            raise await self.foreign_keys.dangling(self.session, self._table, rows) from error

    def _key_values(self, key: Any) -> dict[str, Any]:
        fields = self.model.table.schema.keys
        return {f"key_{field.name}": value for field, value in zip(fields, self._rows.key(key), strict=True)}

    def _is_counted(self, row: Sequence[Any]) -> bool:
        return self._rows.auto is not None and row[self._rows.key_positions[0]] is None

    def _arguments(self, statement: Statement, row: Sequence[Any]) -> Sequence[Any]:
        if len(statement.names) == len(row):
            return row
        position = self._rows.key_positions[0]
        return [*row[:position], *row[position + 1 :]]
