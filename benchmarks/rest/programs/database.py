"""What both hand-written programs do to a database alike: the engine, and times with a zone on SQLite."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.rest.data import POOL_SIZE


class UtcDateTime(sa.TypeDecorator[dt.datetime]):
    """A time with its zone. SQLite keeps none, so it keeps UTC there."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.replace(tzinfo=dt.UTC)


def make_engine(url: str) -> AsyncEngine:
    """An engine with the pool that every program has; on SQLite with WAL, foreign keys and a generous lock timeout."""
    sqlite = url.startswith("sqlite")
    arguments = {"timeout": 30} if sqlite else {}
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0, connect_args=arguments)
    if sqlite:
        sa.event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _prepare(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
