"""The pools of connections: who gets which one, who waits, and what becomes of one in an unknown state."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from loom.adapters.sqlalchemy.connections import Connections
from loom.adapters.sqlalchemy.database import Database, open_database
from loom.adapters.sqlalchemy.driver_postgresql import PostgresDriver
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.errors import Unavailable

# Neither of them ends by itself.
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(86400)",
}


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with two connections for readers, and little patience."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("fresh_postgres_url")
    made = open_database(SqlalchemySettings(url=url, pool_size=2, pool_timeout=0.05, lock_timeout=0.05))
    yield made
    await made.close()


async def test_the_one_that_came_back_last_goes_out_first(database: Database) -> None:
    first, second = await database.readers.take(), await database.readers.take()
    database.readers.give(first)
    database.readers.give(second)
    assert await database.readers.take() is second
    assert await database.readers.take() is first
    database.readers.give(first)
    database.readers.give(second)


async def test_whoever_waits_in_vain_is_told_why(database: Database) -> None:
    lent = [await database.readers.take(), await database.readers.take()]
    with pytest.raises(Unavailable, match=r"no connection .* became free in time\. raise persistence.pool_size"):
        await database.readers.take()
    database.readers.give(lent.pop())
    again = await database.readers.take()
    for each in (*lent, again):
        database.readers.give(each)


async def test_whoever_waits_gets_the_one_that_comes_back(tmp_path: Path) -> None:
    database = open_database(SqlalchemySettings(url=f"sqlite:///{tmp_path}/store.db"))
    only = await database.writers.take()
    waiting = asyncio.create_task(database.writers.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    database.writers.give(only)
    assert await waiting is only
    database.writers.give(only)
    await database.close()


async def test_a_transaction_that_was_not_committed_is_undone(database: Database) -> None:
    connection = await database.writers.take()
    await connection.driver.run("CREATE TABLE kept (id INTEGER)")
    await connection.driver.run(database.begin)
    await connection.driver.run("INSERT INTO kept VALUES (1)")
    await database.writers.undo(connection)
    assert await rows(database.readers, "SELECT id FROM kept") == []


async def test_a_statement_that_was_cancelled_does_not_hold_its_connection(database: Database) -> None:
    connections = database.readers
    connection = await connections.take()
    endless = asyncio.ensure_future(connection.driver.fetch(ENDLESS[database.dialect.name], ()))
    await asyncio.sleep(0.05)
    endless.cancel()
    await asyncio.wait([endless])
    await connection.driver.interrupt()
    await connections.undo(connection)
    # It is the first to go out again, and what runs on it next comes to its end.
    assert await rows(connections, "SELECT 7") == [7]


async def test_one_that_is_lent_when_the_pool_closes_is_closed_when_it_comes_back(database: Database) -> None:
    connection = await database.readers.take()
    await database.close()
    database.readers.give(connection)
    await database.close()
    assert connection.alchemy.closed
    assert await rows(database.readers, "SELECT 7") == [7]


async def test_one_whose_server_has_gone_is_not_lent_again(fresh_postgres_url: str) -> None:
    database = open_database(SqlalchemySettings(url=fresh_postgres_url))
    connection = await database.readers.take()
    assert isinstance(connection.driver, PostgresDriver)
    database.readers.give(connection)
    connection.driver.connection.terminate()
    assert await rows(database.readers, "SELECT 7") == [7]
    assert connection.alchemy.closed
    await database.close()


async def test_a_new_file_that_somebody_holds_is_waited_for(tmp_path: Path) -> None:
    database = open_database(SqlalchemySettings(url=f"sqlite:///{tmp_path}/store.db"))
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(database.writers.take())
        await asyncio.sleep(0.1)
        assert not opening.done()
        other.execute("ROLLBACK")
        database.writers.give(await opening)
    assert await rows(database.readers, "PRAGMA journal_mode") == ["wal"]
    await database.close()


async def test_and_not_longer_than_is_said(tmp_path: Path) -> None:
    database = open_database(SqlalchemySettings(url=f"sqlite:///{tmp_path}/store.db", lock_timeout=0.05))
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await database.writers.take()
    await database.close()


async def rows(connections: Connections, sql: str) -> list[object]:
    connection = await connections.take()
    found = await connection.driver.fetch(sql, ())
    connections.give(connection)
    return [row[0] for row in found]
