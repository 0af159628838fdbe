"""What a unit of work asks of the database's own library: prepared SQL goes in, plain rows come out.

SQLAlchemy compiles statements and knows schemas; running a compiled statement through it as well costs several times
what the database itself takes, so that is done by the driver.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any, Protocol


class Driver(Protocol):
    """Protocol of one connection of a driver. It runs one statement at a time."""

    @property
    def is_open(self) -> bool:
        """Whether the connection still stands, as far as is known without asking the server."""

    def fetch(self, sql: str, arguments: Sequence[Any]) -> Awaitable[Sequence[Any]]:
        """Run a statement and give its rows."""

    def touch(self, sql: str, arguments: Sequence[Any]) -> Awaitable[int]:
        """Run a statement and give how many rows it touched."""

    def run(self, sql: str) -> Awaitable[object]:
        """Run a statement without arguments and rows."""

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Awaitable[object]:
        """Run a statement once for each row of arguments."""

    def portions(self, sql: str, arguments: Sequence[Any], size: int) -> AsyncGenerator[Sequence[Any], None]:
        """Run a statement and yield its rows, so many at once; on PostgreSQL inside a transaction only."""

    def rollback(self) -> Awaitable[object]:
        """Undo the transaction, if there is one."""

    async def interrupt(self) -> None:
        """Give up the statement that runs: whoever waited for it has been cancelled."""
