"""Connections of the two databases: how a unit of work writes, how one reads, and who waits for whom.

SQLite has one write lock for the whole file. Inside this process units of work queue for it in order, without
blocking the event loop; against other processes SQLite's own busy timeout waits. A writing unit takes the lock with its
first statement (``BEGIN IMMEDIATE``), because a transaction that reads first and writes later cannot be made to wait.
Readers have connections of their own, never wait (WAL), and cannot write.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.sqlalchemy.storage import SQLITE
from loom.adapters.sqlalchemy.url import check_options, read_url, shown
from loom.domain.errors import MissingExtra, Unavailable


@attrs.frozen(eq=False)
class Gate:
    """Lets one unit of work through at a time. ``timeout`` is in seconds."""

    timeout: float
    _lock: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Hold the gate.

        Raises:
            Unavailable: another unit of work holds it for too long; perhaps one that waits for this one.
        """
        try:
            async with asyncio.timeout(self.timeout):
                await self._lock.acquire()
        except TimeoutError as error:
            raise Unavailable(
                f"another unit of work has held SQLite's write lock for {self.timeout:g} s",
                remedy="open no writing unit of work inside another, or raise persistence.lock_timeout",
            ) from error
        try:
            yield
        finally:
            self._lock.release()


@attrs.frozen(eq=False, kw_only=True)
class Database:
    """One database.

    Attributes:
        address: what is shown of its URL.
        writer: transactions: serialised on SQLite, ``REPEATABLE READ`` on PostgreSQL.
        reader: single statements, each its own transaction; no writes on SQLite.
        system: short transactions that must see what others have just committed.
        gate: SQLite's queue of writers.
        folder: where SQLite's file lies or will lie.
    """

    address: str
    writer: AsyncEngine
    reader: AsyncEngine
    system: AsyncEngine
    gate: Gate | None = None
    folder: Path | None = None

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.writer.dialect.name

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection with a transaction, which rolls back unless it is committed."""
        return self._transaction(self.writer)

    def recording(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """As ``writing``, for short transactions of loom's own tables."""
        return self._transaction(self.system)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection without a transaction."""
        return self.reader.connect()

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading with a cursor that stays open, which PostgreSQL has only inside a transaction."""
        engine = self.reader if self.dialect == SQLITE else self.writer
        async with engine.connect() as connection:
            yield connection

    def check_folder(self) -> None:
        """Refuse a file whose folder does not exist, before a thread is started for it.

        Raises:
            Unavailable: naming the folder.
        """
        if self.folder is not None and not self.folder.is_dir():
            raise Unavailable(
                f"the database {self.address} cannot be opened: there is no folder {self.folder}",
                remedy="create it, or correct persistence.url",
            )

    async def close(self) -> None:
        """Give all connections back."""
        for engine in (self.writer, self.reader):
            await engine.dispose()

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with self.gate.passed() if self.gate else nullcontext(), engine.connect() as connection:
            await connection.begin()
            yield connection


def open_database(settings: SqlalchemySettings) -> Database:
    """Prepare the engines; nothing connects yet.

    Raises:
        ConfigError: the address cannot be used.
        MissingExtra: the driver is not installed.
    """
    url = read_url(settings.url)
    try:
        return _sqlite(url, settings) if url.get_backend_name() == SQLITE else _postgresql(url, settings)
    except ModuleNotFoundError as error:
        extra = "sqlalchemy" if url.get_backend_name() == SQLITE else "postgres"
        raise MissingExtra(f"sqlalchemy ({url.get_backend_name()})", extra) from error


def _sqlite(url: URL, settings: SqlalchemySettings) -> Database:
    # isolation_level=None keeps the driver from opening transactions by itself.
    arguments = {"isolation_level": None, "timeout": settings.lock_timeout}
    writer = _engine(url, settings, connect_args=arguments, pool_size=1)
    event.listen(writer.sync_engine, "connect", _prepare_writer)
    event.listen(writer.sync_engine, "begin", _begin_immediate)
    reader = _engine(
        url, settings, connect_args=arguments, pool_size=settings.pool_size, isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )  # fmt: skip
    event.listen(reader.sync_engine, "connect", _prepare_reader)
    return Database(
        address=shown(url),
        writer=writer,
        reader=reader,
        system=writer,
        gate=Gate(settings.lock_timeout),
        folder=Path(url.database or "").parent,
    )


def _postgresql(url: URL, settings: SqlalchemySettings) -> Database:
    # Here and not above: the driver has an extra of its own.
    import asyncpg

    check_options(url, inspect.signature(asyncpg.connect).parameters)
    arguments = {"timeout": settings.connect_timeout}
    engine = _engine(
        url, settings, connect_args=arguments, pool_size=settings.pool_size, isolation_level="REPEATABLE READ"
    )
    return Database(
        address=shown(url),
        writer=engine,
        reader=engine.execution_options(isolation_level="AUTOCOMMIT"),
        system=engine.execution_options(isolation_level="READ COMMITTED"),
    )


def _engine(url: URL, settings: SqlalchemySettings, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        max_overflow=0,
        pool_timeout=settings.pool_timeout,
        # Values stay out of logs and error texts.
        hide_parameters=True,
        **options,
    )


def _prepare_writer(connection: Any, record: object) -> None:
    _pragmas(connection, "foreign_keys = ON", "journal_mode = WAL")


def _prepare_reader(connection: Any, record: object) -> None:
    _pragmas(connection, "query_only = ON")


def _pragmas(connection: Any, *pragmas: str) -> None:
    try:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except BaseException:
        # The pool does not know the connection yet, and would leave its thread behind.
        connection.close()
        raise


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
