"""One unit of work's connection: taken with the first statement, shared by one statement at a time, given back once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import islice
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.statements import Statement
from loom.application.units import UnitState

CHUNK = 5_000
"""Rows sent in one go: enough to make the cost of sending small, few enough to keep the event loop responsive."""
_FETCH = 1_000
"""Rows of a stream held at once."""


@attrs.define(eq=False)
class Session:
    """Runs the statements of one unit of work, and translates whatever goes wrong with them."""

    database: Database
    translation: Translation
    state: UnitState
    _connection: AsyncConnection | None = attrs.field(default=None, init=False)
    _held: AsyncExitStack = attrs.field(factory=AsyncExitStack, init=False)
    _streams: set[AsyncExitStack] = attrs.field(factory=set, init=False)
    # A connection runs one statement at a time, and tasks may share the unit.
    _turn: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    async def rows(self, statement: Statement, arguments: Sequence[Any], *, table: str = "") -> Sequence[Any]:
        """Run a prepared statement and return its rows."""
        async with self._use(table) as connection:
            return (await connection.exec_driver_sql(statement.sql, tuple(arguments))).all()

    async def run(self, statement: Statement, arguments: Sequence[Any], *, table: str) -> int:
        """Run a prepared statement and return how many rows it touched."""
        async with self._use(table) as connection:
            return (await connection.exec_driver_sql(statement.sql, tuple(arguments))).rowcount

    async def run_many(self, statement: Statement, rows: Iterable[Sequence[Any]], *, table: str) -> None:
        """Run a prepared statement for many rows."""
        remaining = iter(rows)
        while chunk := [tuple(row) for row in islice(remaining, CHUNK)]:
            async with self._use(table) as connection:
                await connection.exec_driver_sql(statement.sql, chunk)

    async def select(self, construct: sa.Executable) -> Sequence[Any]:
        """Run a query and return its rows."""
        async with self._use() as connection:
            return (await connection.execute(construct)).all()

    async def explain(self, construct: sa.Executable) -> Sequence[Any]:
        """Run a query after a statement failed, to find out why; SQLite's transaction is still there then."""
        async with self._turn:
            with self.translation.translated():
                connection = self._connection or await self._connect()
                return (await connection.execute(construct)).all()

    async def stream(self, construct: sa.Executable) -> AsyncIterator[Sequence[Any]]:
        """Run a query and yield its rows in portions; ends at the latest with the unit of work."""
        async with AsyncExitStack() as held:
            self._streams.add(held)
            held.callback(self._streams.discard, held)
            async with self._turn:
                self.state.check()
                with self._watched():
                    connection = await self._streaming_connection(held)
                    result = await connection.stream(construct, execution_options={"yield_per": _FETCH})
                held.push_async_callback(result.close)
            while True:
                async with self._turn:
                    self.state.check()
                    with self._watched():
                        rows = await result.fetchmany(_FETCH)
                if not rows:
                    return
                yield rows

    async def commit(self) -> None:
        """Commit, and give the connection back."""
        async with self._turn:
            self.state.check()
            if self._connection is not None and not self.state.read_only:
                await self._close_streams()
                with self._watched():
                    await self._connection.commit()
            self.state.closed = True
            await self._release()

    async def close(self) -> None:
        """Give the connection back; whatever was not committed is undone."""
        self.state.closed = True
        await self._close_streams()
        await self._release()

    @asynccontextmanager
    async def _use(self, table: str = "") -> AsyncIterator[AsyncConnection]:
        async with self._turn:
            self.state.check()
            with self._watched(table):
                yield self._connection or await self._connect()

    @contextmanager
    def _watched(self, table: str = "") -> Iterator[None]:
        try:
            with self.translation.translated(table):
                yield
        except BaseException as error:
            # Also a cancelled statement: nobody knows how far it came.
            self.state.failure = error
            raise

    async def _connect(self) -> AsyncConnection:
        opened = self.database.reading() if self.state.read_only else self.database.writing()
        self._connection = await self._held.enter_async_context(opened)
        return self._connection

    async def _streaming_connection(self, held: AsyncExitStack) -> AsyncConnection:
        if self.state.read_only:
            return await held.enter_async_context(self.database.streaming())
        return self._connection or await self._connect()

    async def _close_streams(self) -> None:
        for held in list(self._streams):
            await held.aclose()

    async def _release(self) -> None:
        self._connection = None
        with self.translation.translated():
            await self._held.aclose()
