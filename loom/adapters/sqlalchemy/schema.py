"""The start of a store: missing tables are made, and tables that do not fit the models are named, all of them."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.storage import POSTGRESQL
from loom.adapters.sqlalchemy.tables import Catalogue
from loom.domain.errors import ConfigError, Issue, Place

_LOCK = 0x6C6F6F6D_00000002


async def prepare_schema(database: Database, translation: Translation, *, create: bool) -> None:
    """Create what is missing where that is wanted, and check the rest.

    Raises:
        ConfigError: tables or columns are missing; all of them.
        Unavailable: the database does not answer.
    """
    catalogue = translation.catalogue
    database.check_folder()
    with translation.translated():
        async with database.recording() as connection:
            if database.dialect.name == POSTGRESQL:
                # Two processes that start at once would both create what both find missing.
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if create:
                await connection.run_sync(catalogue.metadata.create_all)
            issues = await connection.run_sync(lambda sync: list(_missing(sync, catalogue)))
            if issues:
                raise ConfigError(issues)


def _missing(connection: sa.Connection, catalogue: Catalogue) -> Iterator[Issue]:
    inspector = sa.inspect(connection)
    present = {name: columns for (_, name), columns in inspector.get_multi_columns().items()}
    for name, table in catalogue.tables.items():
        place = Place(name=f"table {name}")
        if name not in present:
            remedy = "migrate the database, or set persistence.create_tables: true"
            yield Issue(code="LOOM-DB-003", where=place, message=f"{table.schema.name} has no table", remedy=remedy)
            continue
        columns = {column["name"] for column in present[name]}
        missing = [column for column in table.schema.names if column not in columns]
        if missing:
            message = f"{table.schema.name} has fields without a column: {', '.join(missing)}"
            remedy = "migrate the database; an existing table is never changed at the start"
            yield Issue(code="LOOM-DB-004", where=place, message=message, remedy=remedy)
