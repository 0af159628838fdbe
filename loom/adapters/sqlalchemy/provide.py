"""Binds the ``Persistence`` port to a database."""

from __future__ import annotations

from loom.adapters.sqlalchemy.database import open_database
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: SqlalchemySettings, *, codec: Codec, clock: Clock) -> SqlPersistence:
    """A store that connects when it is started.

    Raises:
        ConfigError: the address cannot be used.
        MissingExtra: the driver of the database is not installed.
    """
    return SqlPersistence(open_database(settings), create_tables=settings.create_tables, codec=codec, clock=clock)
