"""The few statements that the PostgreSQL fixtures run themselves."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def asyncpg_dsn(url: str) -> str:
    """The same address for asyncpg itself, which does not know SQLAlchemy's driver suffix."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def execute(url: str, statement: str) -> object:
    """Run one statement on a connection of its own and return its first value."""
    # In a thread, because a fixture may be set up while the loop of an async test runs.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(_execute(url, statement))).result()


def is_up(url: str) -> bool:
    import asyncpg

    try:
        return execute(url, "SELECT 1") == 1
    except (OSError, asyncpg.PostgresError):
        return False


def version(url: str) -> str:
    return str(execute(url, "SHOW server_version")).split()[0]


async def _execute(url: str, statement: str) -> object:
    import asyncpg

    connection = await asyncpg.connect(asyncpg_dsn(url), timeout=5)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
