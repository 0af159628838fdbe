"""Settings of the database store."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen

_positive = attrs.validators.gt(0.0)


@frozen(kw_only=True)
class SqlalchemySettings:
    """Which database, and how long to wait for it. Durations are seconds.

    Attributes:
        url: ``sqlite+aiosqlite:///file.db`` (a path relative to the working folder; four slashes for an absolute one)
            or ``postgresql+asyncpg://user:password@host:5432/name``. The driver may be left out. A ``@``
            or a slash of the password is written as ``%40`` or ``%2F``.
        create_tables: whether the start creates tables that are missing. Existing tables are never changed. Say
            ``false`` where ``loom db upgrade`` makes them.
        migrations: the folder of the files that ``loom db diff`` writes, relative to the working folder.
        pool_size: most connections at once.
        pool_timeout: how long a unit of work may wait for a connection.
        connect_timeout: how long a server may take to accept a connection.
        lock_timeout: how long a unit of work may wait for another one to let go of SQLite's only write lock.
    """

    url: str = "sqlite+aiosqlite:///loom.db"
    create_tables: bool = True
    migrations: str = "migrations"
    pool_size: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    pool_timeout: float = attrs.field(default=30.0, validator=_positive)
    connect_timeout: float = attrs.field(default=10.0, validator=_positive)
    lock_timeout: float = attrs.field(default=30.0, validator=_positive)
