"""The two databases: how a unit of work writes, how one reads, and who waits for whom.

SQLite has one write lock for the whole file. Inside this process units of work queue for its only writing connection in
order, without blocking the event loop; against other processes SQLite's own busy timeout waits. A writing unit takes
the lock with its first statement (``BEGIN IMMEDIATE``), because a transaction that reads first and writes later cannot
be made to wait. Readers have connections of their own, never wait (WAL), and cannot write.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.pool import NullPool

from loom.adapters.sqlalchemy.connections import Connection, Connections, connect
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.sqlalchemy.storage import SQLITE
from loom.adapters.sqlalchemy.url import check_options, read_url, shown
from loom.domain.errors import MissingExtra, Unavailable

_STATEMENTS = 1_000
"""Statements that PostgreSQL keeps prepared for one connection: all of a large application's."""


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Database:
    """One database.

    Attributes:
        address: what is shown of its URL.
        dialect: SQLAlchemy's, for which statements are compiled.
        engines: SQLAlchemy's, which only make connections.
        writers: connections for transactions; on SQLite a single one.
        readers: connections for single statements, each its own transaction; they cannot write on SQLite.
        begin: begins the transaction of a unit of work.
        record: begins a short transaction that must see what others have just committed.
        read: begins a transaction that sees one snapshot and writes nothing; empty where a statement does not need one.
        folder: where SQLite's file lies or will lie.
    """

    address: str
    dialect: Dialect
    engines: tuple[sa.Engine, ...]
    writers: Connections
    readers: Connections
    begin: str
    record: str
    read: str = ""
    folder: Path | None = None

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[Connection]:
        """A connection in a short transaction for loom's own tables, which commits at the end of the block."""
        connection = await self.writers.take()
        try:
            await connection.driver.run(self.record)
            yield connection
            await connection.driver.run("COMMIT")
        except BaseException:
            await self.writers.undo(connection)
            raise
        self.writers.give(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection without a transaction."""
        connection = await self.readers.take()
        try:
            yield connection
        except BaseException:
            await self.readers.undo(connection)
            raise
        self.readers.give(connection)

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
        """Close all connections."""
        for connections in (self.writers, self.readers):
            await connections.close()
        for engine in self.engines:
            engine.dispose()


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
    from loom.adapters.sqlalchemy.driver_sqlite import SqliteDriver, connect_writer

    arguments = {"timeout": settings.lock_timeout}
    writer, reader = (_engine(url, arguments) for _ in range(2))
    event.listen(writer, "connect", _prepare_writer)
    event.listen(reader, "connect", _prepare_reader)
    address = shown(url)
    return Database(
        address=address,
        dialect=writer.dialect,
        engines=(writer, reader),
        writers=Connections(
            partial(connect_writer, writer, settings.lock_timeout),
            size=1,
            timeout=settings.lock_timeout,
            busy=partial(_lock_held, settings.lock_timeout),
        ),
        readers=Connections(
            partial(connect, reader, SqliteDriver),
            size=settings.pool_size,
            timeout=settings.pool_timeout,
            busy=partial(_none_free, address),
        ),
        begin="BEGIN IMMEDIATE",
        record="BEGIN IMMEDIATE",
        folder=Path(url.database or "").parent,
    )


def _postgresql(url: URL, settings: SqlalchemySettings) -> Database:
    # Here and not above: the driver has an extra of its own.
    import asyncpg

    from loom.adapters.sqlalchemy.driver_postgresql import PostgresDriver

    check_options(url, inspect.signature(asyncpg.connect).parameters)
    arguments: dict[str, Any] = {"timeout": settings.connect_timeout}
    if "statement_cache_size" not in url.query:
        arguments["statement_cache_size"] = _STATEMENTS
    engine = _engine(url, arguments)
    address = shown(url)
    connections = Connections(
        partial(connect, engine, PostgresDriver),
        size=settings.pool_size,
        timeout=settings.pool_timeout,
        busy=partial(_none_free, address),
    )
    return Database(
        address=address,
        dialect=engine.dialect,
        engines=(engine,),
        writers=connections,
        readers=connections,
        begin="BEGIN ISOLATION LEVEL REPEATABLE READ",
        record="BEGIN ISOLATION LEVEL READ COMMITTED",
        read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    )


def _engine(url: URL, arguments: dict[str, Any]) -> sa.Engine:
    return sa.create_engine(
        url,
        poolclass=NullPool,
        # Transactions are begun and ended by statements of ours.
        isolation_level="AUTOCOMMIT",
        # Values stay out of logs and error texts.
        hide_parameters=True,
        connect_args=arguments,
    )


def _lock_held(timeout: float) -> Unavailable:
    return Unavailable(
        f"another unit of work has held SQLite's write lock for {timeout:g} s",
        remedy="open no writing unit of work inside another, or raise persistence.lock_timeout",
    )


def _none_free(address: str) -> Unavailable:
    return Unavailable(
        f"no connection to the database {address} became free in time",
        remedy="raise persistence.pool_size, or let units of work end sooner",
    )


def _prepare_writer(connection: Any, record: object) -> None:
    _set(connection, "foreign_keys = ON")


def _prepare_reader(connection: Any, record: object) -> None:
    _set(connection, "query_only = ON")


def _set(connection: Any, pragma: str) -> None:
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except BaseException:
        # The pool does not know the connection yet, and would leave its thread behind.
        connection.close()
        raise
