"""Repositories over tables of a database: one statement for each call, rows structured straight into entities."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from loom.adapters.sqlalchemy.errors import ForeignKeyFailed
from loom.adapters.sqlalchemy.foreign_keys import ForeignKeys
from loom.adapters.sqlalchemy.lists import Call, ListStatements, Selected
from loom.adapters.sqlalchemy.loading import Loading
from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.row_filters import BoundFilters
from loom.adapters.sqlalchemy.session import CHUNK, Session
from loom.adapters.sqlalchemy.statements import Statement
from loom.application.queries import Bounds, QueryPlan
from loom.application.rows import RowPlan
from loom.application.units import other_version
from loom.domain.errors import Conflict, Overtaken
from loom.domain.expr import Expr
from loom.domain.query import Page, Query
from loom.ports.clock import Clock

M = TypeVar("M")
_AT_ONCE = (64, 8, 1)
"""Rows that one insertion takes."""


@attrs.frozen(eq=False, repr=False)
class SqlRepository(Generic[M]):
    """One model in one unit of work."""

    model: StoredModel
    session: Session
    clock: Clock
    foreign_keys: ForeignKeys
    filters: BoundFilters | None = None

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        loading = self._loading(profile)
        statement = self.model.statements.get if loading is None else loading.get
        values = self._key_values(key)
        if self.filters is not None:
            values |= self.filters.values
        rows = await self.session.rows(statement, statement.arguments(values))
        if loading is not None:
            return next(iter(await loading.entities(self.session, rows, self._seen)), None)
        return self._rows.build(rows[0]) if rows else None

    async def find(self, where: Expr, *, profile: str = "") -> M | None:
        bounds, loading = self._plan.bounds(Query(where=where)), self._loading(profile)
        rows = await self.session.rows(*self._list_rows(bounds, loading, limit=1))
        return next(iter(await self._entities(rows, loading)), None)

    async def list(self, query: Query) -> Page[M]:
        bounds, loading = self._plan.bounds(query), self._loading(query.profile)
        rows = await self._page(bounds, query, loading)
        total = await self._count(bounds.where) if query.total else None
        return self._plan.page(query, bounds.order, await self._entities(rows, loading), total)

    async def pick(self, query: Query, fields: Sequence[str]) -> Page[Mapping[str, Any]]:
        bounds = self._plan.bounds(query)
        names = self._plan.picked(fields, bounds.order)
        rows = await self._page(bounds, query, self.model.lists.only(names))
        total = await self._count(bounds.where) if query.total else None
        return self._plan.picked_page(query, bounds.order, fields, rows, total)

    async def pick_one(self, key: Any, fields: Sequence[str]) -> Mapping[str, Any] | None:
        return next(iter((await self.pick(Query(where=self._plan.is_key(key), limit=1), fields)).items), None)

    async def exists(self, where: Expr) -> bool:
        call = self._lists.exists(self._plan.living(where), tuple(self._seen.values()))
        return bool(await self.session.rows(*call))

    async def count(self, where: Expr | None = None) -> int:
        return await self._count(self._plan.living(where))

    async def stream(self, query: Query) -> AsyncIterator[M]:
        bounds, loading = self._plan.bounds(query), self._loading(query.profile)
        call = self._list_rows(bounds, loading, limit=query.limit, offset=query.offset)
        async for rows in self.session.stream(*call):
            for entity in await self._entities(rows, loading):
                yield entity

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

    async def create_all(self, values: Sequence[object]) -> Sequence[M]:
        self.session.state.check_write()
        rows = self._rows.insert_all(values, now=self.clock.now())
        given = [row for row in rows if not self._is_counted(row)]
        made = {self._rows.key_of(row): row for row in await self._insert_all(given, counted=False)}
        if self._rows.auto is not None and given:
            await self.foreign_keys.count_on(self.session, self._table, self._rows.auto)
        counted = await self._insert_all([row for row in rows if self._is_counted(row)], counted=True)
        # No store promises the order of what comes back, but all count up row by row.
        numbered = iter(sorted(counted, key=self._rows.key_of))
        found = [next(numbered) if self._is_counted(row) else made[self._rows.key_of(row)] for row in rows]
        return list(map(self._rows.build, found))

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

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M | None:
        self.session.state.check_write()
        expected = self._rows.expected(expected_version)
        changed = self._rows.changes(key, changes, now=self.clock.now())
        if not changed and not self._rows.schema.version:
            return await self.get(key)
        return await self._change(key, changed, expected)

    async def delete(self, key: Any, *, expected_version: int | None = None) -> bool:
        self.session.state.check_write()
        expected = self._rows.expected(expected_version)
        deleted_at = self._rows.schema.deleted_at
        if deleted_at:
            mark = {deleted_at: self._rows.deletion(now=self.clock.now())}
            return await self._change(key, mark, expected) is not None
        statement = self.model.statements.delete(expected=expected is not None)
        arguments = statement.arguments(self._key_values(key) | {"expected": expected})
        try:
            if await self.session.run(statement, arguments, table=self._table) > 0:
                return True
        except (ForeignKeyFailed, Overtaken) as error:
            await self._explain(error, key, {}, expected)
            raise
        return await self._absent(key, expected)

    @property
    def _plan(self) -> QueryPlan[M]:
        return self.model.plan

    @property
    def _rows(self) -> RowPlan[M]:
        return self.model.plan.rows

    @property
    def _lists(self) -> ListStatements:
        return self.model.lists if self.filters is None else self.filters.statements.lists(self.model)

    @property
    def _seen(self) -> Mapping[str, Any]:
        return {} if self.filters is None else self.filters.values

    def _list_rows(self, bounds: Bounds, selected: Selected | None, *, limit: int | None, offset: int = 0) -> Call:
        seen = tuple(self._seen.values())
        return self._lists.rows(bounds, selected, limit=limit, offset=offset, seen=seen)

    @property
    def _table(self) -> str:
        return self.model.table.schema.table

    async def _change(self, key: Any, changed: Mapping[str, Any], expected: int | None) -> M | None:
        statement = self.model.statements.update(changed, expected=expected is not None)
        values = self._key_values(key) | {f"set_{name}": value for name, value in changed.items()}
        values["expected"] = expected
        try:
            rows = await self.session.rows(statement, statement.arguments(values), table=self._table)
        except (ForeignKeyFailed, Overtaken) as error:
            await self._explain(error, key, changed, expected)
            raise
        if rows:
            return self._rows.build(rows[0])
        await self._absent(key, expected)
        return None

    async def _explain(self, error: Conflict, key: Any, changed: Mapping[str, Any], expected: int | None) -> None:
        """Raise what the database's refusal of a change means, where that is not what it says."""
        if isinstance(error, ForeignKeyFailed):
            raise await self.foreign_keys.broken(self.session, self._table, self._rows.key(key), changed) from error
        if expected is not None:
            # The statement found the expected version in its snapshot, and somebody else made a newer one.
            raise other_version(self._table) from error

    async def _absent(self, key: Any, expected: int | None) -> bool:
        """``False`` for a row that is not there, which a version that it does not have looks like at first."""
        if expected is not None and await self.get(key) is not None:
            error = self.session.state.failure = other_version(self._table)
            raise error
        return False

    def _loading(self, profile: str) -> Loading | None:
        if self._plan.selection(profile) is None:
            return None
        if self.filters is not None:
            return self.filters.statements.loading(self.model, profile)
        return self.model.loadings[profile]

    async def _entities(self, rows: Sequence[Any], loading: Loading | None) -> Sequence[M]:
        return (
            list(map(self._rows.build, rows))
            if loading is None
            else await loading.entities(self.session, rows, self._seen)
        )

    async def _count(self, where: Expr | None) -> int:
        found = await self.session.rows(*self._lists.count(where, tuple(self._seen.values())))
        return int(found[0][0])

    async def _page(self, bounds: Bounds, query: Query, selected: Selected | None) -> Sequence[Any]:
        # One row more tells whether another page follows.
        limit = None if query.limit is None else query.limit + 1
        return await self.session.rows(*self._list_rows(bounds, selected, limit=limit, offset=query.offset))

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

    async def _insert_all(self, rows: Sequence[Sequence[Any]], *, counted: bool) -> Sequence[Sequence[Any]]:
        made: list[Sequence[Any]] = []
        start = 0
        try:
            while start < len(rows):
                # Few sizes, so that there are few statements to prepare.
                count = next(size for size in _AT_ONCE if size <= len(rows) - start)
                statement = self.model.statements.insert_rows(count, counted=counted)
                part = [self._own(row, counted) for row in rows[start : start + count]]
                flat = [value for row in part for value in row]
                made += await self.session.rows(statement, flat, table=self._table)
                start += count
        except ForeignKeyFailed as error:
            raise await self.foreign_keys.dangling(self.session, self._table, rows) from error
        return made

    def _own(self, row: Sequence[Any], counted: bool) -> Sequence[Any]:
        position = self._rows.key_positions[0] if counted else len(row)
        return [*row[:position], *row[position + 1 :]]

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
