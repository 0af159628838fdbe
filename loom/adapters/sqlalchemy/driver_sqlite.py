"""SQLite by aiosqlite: each connection has a thread of its own, and each call here is one hop to it and back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any

import aiosqlite
import attrs
import sqlalchemy as sa

from loom.adapters.sqlalchemy.connections import Connection, connect

_LOOK_AGAIN = 0.01
"""Seconds between two tries to give a file its log."""


@attrs.frozen(eq=False)
class SqliteDriver:
    """One connection to a SQLite file."""

    connection: aiosqlite.Connection

    @property
    def is_open(self) -> bool:
        return True

    def fetch(self, sql: str, arguments: Sequence[Any]) -> Awaitable[Sequence[Any]]:
        found: Awaitable[Any] = self.connection.execute_fetchall(sql, arguments)
        return found

    async def touch(self, sql: str, arguments: Sequence[Any]) -> int:
        async with self.connection.execute(sql, arguments) as cursor:
            return cursor.rowcount

    def run(self, sql: str) -> Awaitable[object]:
        return self.connection.execute(sql)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Awaitable[object]:
        return self.connection.executemany(sql, rows)

    async def portions(self, sql: str, arguments: Sequence[Any], size: int) -> AsyncGenerator[Sequence[Any], None]:
        async with self.connection.execute(sql, arguments) as cursor:
            while rows := await cursor.fetchmany(size):
                yield list(rows)

    def rollback(self) -> Awaitable[object]:
        return self.connection.rollback()

    async def interrupt(self) -> None:
        await self.connection.interrupt()


async def connect_writer(engine: sa.Engine, timeout: float) -> Connection:
    """Open a connection that writes, to a file that has a write-ahead log from then on, so that readers never wait.

    Where several processes open a new file at once, all but one find it locked, and for this one change SQLite does not
    wait by itself.

    Args:
        engine: makes the connection.
        timeout: seconds to try.
    """
    connection = await connect(engine, SqliteDriver)
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    try:
        while not await _has_log(connection, last=loop.time() >= until):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_LOOK_AGAIN)
    except BaseException:
        await connection.end()
        raise
    return connection


async def _has_log(connection: Connection, *, last: bool) -> bool:
    try:
        await connection.driver.fetch("PRAGMA journal_mode = WAL", ())
    except sqlite3.OperationalError as error:
        if last or "locked" not in str(error):
            raise
        return False
    return True
