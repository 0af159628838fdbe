"""SQLite by aiosqlite: each connection has a thread of its own, and each call here is one hop to it and back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any

import aiosqlite
import attrs


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
