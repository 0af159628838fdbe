"""Open connections of one kind, lent to one unit of work at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from loom.adapters.sqlalchemy.drivers import Driver
from loom.domain.errors import Unavailable

T = TypeVar("T")
_UNDO = 10.0
"""Seconds that undoing a transaction may take before the connection is given up, which undoes it as well."""


@attrs.frozen(eq=False)
class Connection:
    """One connection, seen in two ways: by its driver, and by SQLAlchemy for constructs that are not compiled ahead.

    For SQLAlchemy every statement commits by itself; transactions are begun and ended by the driver alone.
    """

    driver: Driver
    alchemy: sa.Connection

    async def execute(self, construct: sa.Executable) -> Sequence[Any]:
        """Run a construct and give its rows."""
        return await greenlet_spawn(lambda: self.alchemy.execute(construct).all())

    async def run_sync(self, work: Callable[[sa.Connection], T]) -> T:
        """Run what needs SQLAlchemy's own connection, such as the creation of tables."""
        return await greenlet_spawn(work, self.alchemy)

    async def end(self, *, broken: bool = False) -> None:
        """Close it; one that is broken without asking the server."""
        if broken or not self.driver.is_open:
            await greenlet_spawn(self.alchemy.invalidate)
        await greenlet_spawn(self.alchemy.close)


async def connect(engine: sa.Engine, driver: Callable[[Any], Driver]) -> Connection:
    """Open a connection.

    Args:
        engine: makes it.
        driver: puts it behind the port.
    """
    alchemy = await greenlet_spawn(engine.connect)
    return Connection(driver(alchemy.connection.driver_connection), alchemy)


class Connections:
    """A pool. The connection that came back last goes out first, so that no more stay warm than are needed.

    Args:
        connect: opens one.
        size: most that are lent at once.
        timeout: seconds to wait for one.
        busy: the error of whoever waited in vain.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        *,
        size: int,
        timeout: float,
        busy: Callable[[], Unavailable],
    ) -> None:
        self._connect = connect
        self._timeout = timeout
        self._busy = busy
        self._free: list[Connection] = []
        self._turns = asyncio.Semaphore(size)
        self._closed = False
        self._ending: set[asyncio.Task[None]] = set()

    async def take(self) -> Connection:
        """Borrow a connection; ``give`` or ``undo`` brings it back.

        Raises:
            Unavailable: none came back in time.
        """
        if self._turns.locked():
            await self._wait()
        else:
            await self._turns.acquire()
        try:
            self._closed = False
            while self._free:
                found = self._free.pop()
                if found.driver.is_open:
                    return found
                await self._end(found)
            return await self._connect()
        except BaseException:
            self._turns.release()
            raise

    def give(self, connection: Connection) -> None:
        """Bring back a connection that is in no transaction."""
        if self._closed or not connection.driver.is_open:
            self._start(self._end(connection))
        else:
            self._free.append(connection)
        self._turns.release()

    async def undo(self, connection: Connection) -> None:
        """Bring back a connection in an unknown state: its transaction is undone, also where the caller is cancelled
        meanwhile."""
        await asyncio.shield(self._start(self._undo(connection)))

    async def close(self) -> None:
        """Close all connections. Those that are lent are closed when they come back."""
        self._closed = True
        while self._free:
            self._start(self._end(self._free.pop()))
        if self._ending:
            await asyncio.wait(self._ending)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._turns.acquire()
        except TimeoutError as error:
            raise self._busy() from error

    async def _undo(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(_UNDO):
                await connection.driver.rollback()
        except Exception:  # noqa: BLE001 - whatever it is, the connection is given up
            # The database undoes the transaction of a connection that ends.
            await self._end(connection, broken=True)
            self._turns.release()
        else:
            self.give(connection)

    async def _end(self, connection: Connection, *, broken: bool = False) -> None:
        try:
            await connection.end(broken=broken)
        except Exception:  # noqa: BLE001 - it is gone either way, and nobody waits for anything from it
            return

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task
