"""The start of a store: missing tables are made, and tables that do not fit the models are named, all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

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
            issues = await connection.run_sync(lambda sync: _prepared(sync, catalogue, create=create))
            if issues:
                raise ConfigError(issues)


def _prepared(connection: sa.Connection, catalogue: Catalogue, *, create: bool) -> list[Issue]:
    found = sa.inspect(connection).get_multi_columns()
    present = {name: {column["name"] for column in columns} for (_, name), columns in found.items()}
    if create:
        absent = {name: table for name, table in catalogue.tables.items() if name not in present}
        made = [table.table for table in absent.values()]
        catalogue.metadata.create_all(connection, tables=made, checkfirst=False)
        present |= {name: set(table.schema.names) for name, table in absent.items()}
    return list(_missing(present, catalogue))


def _missing(present: Mapping[str, Collection[str]], catalogue: Catalogue) -> Iterator[Issue]:
    for name, table in catalogue.tables.items():
        place = Place(name=f"table {name}")
        if name not in present:
            remedy = "migrate the database, or set persistence.create_tables: true"
            yield Issue(code="LOOM-DB-003", where=place, message=f"{table.schema.name} has no table", remedy=remedy)
            continue
        missing = [column for column in table.schema.names if column not in present[name]]
        if missing:
            message = f"{table.schema.name} has fields without a column: {', '.join(missing)}"
            remedy = "migrate the database; an existing table is never changed at the start"
            yield Issue(code="LOOM-DB-004", where=place, message=message, remedy=remedy)
