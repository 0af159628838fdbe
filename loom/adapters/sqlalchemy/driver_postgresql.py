"""PostgreSQL by asyncpg, which prepares each statement once for a connection and speaks the binary protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any

import asyncpg
import attrs


@attrs.frozen(eq=False)
class PostgresDriver:
    """One connection to a PostgreSQL server."""

    connection: asyncpg.Connection[Any]

    @property
    def is_open(self) -> bool:
        return not self.connection.is_closed()

    def fetch(self, sql: str, arguments: Sequence[Any]) -> Awaitable[Sequence[Any]]:
        found: Awaitable[Sequence[Any]] = self.connection.fetch(sql, *arguments)
        return found

    async def touch(self, sql: str, arguments: Sequence[Any]) -> int:
        # The command tag ends with the number of rows: https://www.postgresql.org/docs/current/protocol-message-formats.html
        return int((await self.connection.execute(sql, *arguments)).rpartition(" ")[2])

    def run(self, sql: str) -> Awaitable[object]:
        done: Awaitable[str] = self.connection.execute(sql)
        return done

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Awaitable[object]:
        done: Awaitable[None] = self.connection.executemany(sql, rows)
        return done

    async def portions(self, sql: str, arguments: Sequence[Any], size: int) -> AsyncGenerator[Sequence[Any], None]:
        cursor = await self.connection.cursor(sql, *arguments)
        while rows := await cursor.fetch(size):
            yield rows

    def rollback(self) -> Awaitable[object]:
        # Outside a transaction the server only warns.
        return self.run("ROLLBACK")

    async def interrupt(self) -> None:
        # asyncpg has asked the server already, and the next statement waits until it has.
        return
