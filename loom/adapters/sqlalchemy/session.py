"""One unit of work's connection: taken with the first statement, shared by one statement at a time, given back once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NoReturn, TypeVar

import sqlalchemy as sa

from loom.adapters.sqlalchemy.connections import Connection, Connections
from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.statements import Statement
from loom.application.units import UnitState

T = TypeVar("T")
CHUNK = 5_000
"""Rows sent in one go: enough to make the cost of sending small, few enough to keep the event loop responsive."""
_FETCH = 1_000
"""Rows of a stream held at once."""


class Session:
    """Runs the statements of one unit of work, and translates whatever goes wrong with them."""

    __slots__ = ("_connection", "_connections", "_database", "_streams", "_translation", "_turn", "state")

    def __init__(self, database: Database, translation: Translation, state: UnitState) -> None:
        self.state = state
        self._database = database
        self._translation = translation
        self._connections: Connections = database.readers if state.read_only else database.writers
        self._connection: Connection | None = None
        self._streams: set[_Stream] = set()
        # A connection runs one statement at a time, and tasks may share the unit.
        self._turn = asyncio.Lock()

    async def rows(self, statement: Statement, arguments: Sequence[Any], *, table: str = "") -> Sequence[Any]:
        """Run a prepared statement and return its rows."""
        return await self._use(lambda used: used.driver.fetch(statement.sql, arguments), table, statement.sql)

    async def run(self, statement: Statement, arguments: Sequence[Any], *, table: str) -> int:
        """Run a prepared statement and return how many rows it touched."""
        return await self._use(lambda used: used.driver.touch(statement.sql, arguments), table, statement.sql)

    async def run_many(self, statement: Statement, rows: Iterable[Sequence[Any]], *, table: str) -> None:
        """Run a prepared statement for many rows."""
        remaining = iter(rows)
        while chunk := list(islice(remaining, CHUNK)):
            await self._run_chunk(statement, chunk, table)

    async def select(self, construct: sa.Executable) -> Sequence[Any]:
        """Run a query and return its rows."""
        return await self._use(lambda used: used.execute(construct))

    async def explain(self, construct: sa.Executable) -> Sequence[Any]:
        """Run a query after a statement failed, to find out why; SQLite's transaction is still there then."""
        async with self._turn:
            with self._translation.translated():
                return await (self._connection or await self._connect()).execute(construct)

    async def stream(self, statement: Statement, arguments: Sequence[Any]) -> AsyncIterator[Sequence[Any]]:
        """Run a prepared query and yield its rows in portions; ends at the latest with the unit of work."""
        stream = _Stream(self, statement, arguments)
        self._streams.add(stream)
        try:
            while rows := await self._portion(stream):
                yield rows
        finally:
            self._streams.discard(stream)
            await stream.close()

    async def commit(self) -> None:
        """Commit, and give the connection back."""
        async with self._turn:
            self.state.check()
            connection = self._connection
            if connection is not None and not self.state.read_only:
                try:
                    await self._close_streams()
                    await connection.driver.run("COMMIT")
                except BaseException as error:  # noqa: BLE001 - raised again, in words of loom
                    await self._fail(error)
            self.state.closed = True
            if connection is not None:
                self._connection = None
                self._connections.give(connection)

    async def close(self) -> None:
        """Give the connection back; whatever was not committed is undone."""
        self.state.closed = True
        if self._streams:
            async with self._turn:
                await self._close_streams()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.state.read_only and self.state.failure is None:
            self._connections.give(connection)
        else:
            await self._connections.undo(connection)

    async def _use(self, work: Callable[[Connection], Awaitable[T]], table: str = "", sql: str = "") -> T:
        async with self._turn:
            self.state.check()
            try:
                return await work(self._connection or await self._connect())
            except BaseException as error:  # noqa: BLE001 - raised again, in words of loom
                await self._fail(error, table, sql)

    async def _run_chunk(self, statement: Statement, chunk: Sequence[Sequence[Any]], table: str) -> None:
        await self._use(lambda used: used.driver.run_many(statement.sql, chunk), table, statement.sql)

    async def _portion(self, stream: _Stream) -> Sequence[Any]:
        async with self._turn:
            self.state.check()
            try:
                return await stream.portion()
            except BaseException as error:  # noqa: BLE001 - raised again, in words of loom
                await self._fail(error)

    async def _fail(self, error: BaseException, table: str = "", sql: str = "") -> NoReturn:
        if not isinstance(error, Exception):
            # A cancelled statement: nobody knows how far it came.
            self.state.failure = error
            if self._connection is not None:
                await self._connection.driver.interrupt()
            raise error
        meant = self.state.failure = self._translation.meant(error, table, sql)
        if meant is error:
            raise error
        raise meant from error

    async def _connect(self) -> Connection:
        connection = self._connection = await self._connections.take()
        if not self.state.read_only:
            await connection.driver.run(self._database.begin)
        return connection

    async def _close_streams(self) -> None:
        while self._streams:
            await self._streams.pop().close()


class _Stream:
    """A query whose rows are fetched in portions.

    In a unit of work that writes it shares the connection, and sees what the unit has written. In one that only reads
    it has a connection of its own with a snapshot of its own, so that other statements go on beside it.
    """

    def __init__(self, session: Session, statement: Statement, arguments: Sequence[Any]) -> None:
        self._session = session
        self._statement = statement
        self._arguments = arguments
        self._own: Connection | None = None
        self._portions: AsyncGenerator[Sequence[Any], None] | None = None

    async def portion(self) -> Sequence[Any]:
        """The next rows; none where there are no more."""
        if self._portions is None:
            driver = (await self._opened()).driver
            self._portions = driver.portions(self._statement.sql, self._arguments, _FETCH)
        async for rows in self._portions:
            return rows
        return ()

    async def close(self) -> None:
        """Close the cursor, and give the connection back where it is the stream's own."""
        portions, self._portions = self._portions, None
        own, self._own = self._own, None
        try:
            if portions is not None:
                await portions.aclose()
        finally:
            if own is not None:
                await self._session._database.readers.undo(own)

    async def _opened(self) -> Connection:
        session = self._session
        if not session.state.read_only:
            return session._connection or await session._connect()
        self._own = own = await session._database.readers.take()
        if session._database.read:
            await own.driver.run(session._database.read)
        return own
