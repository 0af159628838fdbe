"""The start of a store: missing tables are made, and tables that do not fit the models are named, all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias

from loom.adapters.sqlalchemy.column_types import FoundColumn, column_fault
from loom.adapters.sqlalchemy.connections import Connection
from loom.adapters.sqlalchemy.database import Database
from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.names import scale_of
from loom.adapters.sqlalchemy.storage import POSTGRESQL, SQLITE
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable
from loom.domain.errors import ConfigError, Issue, Place
from loom.domain.schema import Kind

_SCALED: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%scale_%'"
_Present: TypeAlias = Mapping[str, Mapping[str, FoundColumn]]
_LOCK = 0x6C6F6F6D_00000002
_COLUMNS: Mapping[str, str] = {
    SQLITE: """
        SELECT tables.name, columns.name, columns.type, columns."notnull"
        FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table'
    """,
    POSTGRESQL: """
        SELECT tables.relname, columns.attname, format_type(columns.atttypid, columns.atttypmod), columns.attnotnull
        FROM pg_catalog.pg_class AS tables JOIN pg_catalog.pg_attribute AS columns ON columns.attrelid = tables.oid
        WHERE tables.relnamespace = current_schema()::text::regnamespace AND tables.relkind IN ('r', 'p', 'f')
            AND columns.attnum > 0 AND NOT columns.attisdropped
    """,
}
"""The columns of all tables. SQLAlchemy's inspection finds out much more, for many times the time."""


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
                await connection.driver.run(f"SELECT pg_advisory_xact_lock({_LOCK})")
            present = await _present(connection, database.dialect.name)
            absent = [table.table for name, table in catalogue.tables.items() if name not in present]
            if create and absent:
                make = partial(catalogue.metadata.create_all, tables=absent, checkfirst=False)
                await connection.run_sync(make)
                present = await _present(connection, database.dialect.name)
            issues = [*_missing(present, catalogue), *_other_types(present, catalogue, database.dialect.name)]
            if database.dialect.name == SQLITE and any(map(_has_decimals, catalogue.tables.values())):
                issues += _rescaled(dict(await connection.driver.fetch(_SCALED, ())), catalogue, present)
            if issues:
                raise ConfigError(issues)


async def _present(connection: Connection, dialect: str) -> _Present:
    columns: defaultdict[str, dict[str, FoundColumn]] = defaultdict(dict)
    for table, column, type_, never_null in await connection.driver.fetch(_COLUMNS[dialect], ()):
        columns[table][column] = FoundColumn(type_, bool(never_null))
    return columns


def _other_types(present: _Present, catalogue: Catalogue, dialect: str) -> Iterator[Issue]:
    """Columns that hold something else than their fields, as somebody else made them."""
    for name, table in catalogue.tables.items():
        for field in table.schema.fields:
            found = present.get(name, {}).get(field.name)
            fault = found and column_fault(found, field, table.storages[field.name].kind, dialect)
            if fault:
                remedy = "change the field or the column; loom db diff writes what differs from the models"
                message = f"{table.schema.name}.{field.name}: the column {fault}"
                yield Issue(code="LOOM-DB-007", where=Place(name=f"table {name}"), message=message, remedy=remedy)


def _has_decimals(table: ModelTable) -> bool:
    return any(storage.kind is Kind.DECIMAL for storage in table.storages.values())


def _rescaled(definitions: Mapping[str, str], catalogue: Catalogue, present: _Present) -> Iterator[Issue]:
    """The decimals that SQLite keeps as integers of another scale, as the constraints of their tables say."""
    for name, table in catalogue.tables.items():
        found = re.findall(r"\bscale_\d+_\w+", definitions.get(name, ""))
        for column, storage in table.storages.items():
            kept = [scale for each in found if (scale := scale_of(catalogue.names, name, column, each)) is not None]
            if storage.kind is Kind.DECIMAL and not kept and name in present and column in present[name]:
                message = f"{table.schema.name}.{column} was not made by loom: its decimals are not scaled integers"
                remedy = "let loom db diff and loom db upgrade make the table, and copy the rows; or map it as a float"
                yield Issue(code="LOOM-DB-007", where=Place(name=f"table {name}"), message=message, remedy=remedy)
            if storage.kind is Kind.DECIMAL and kept and storage.scale not in kept:
                message = f"{table.schema.name}.{column} has the scale {storage.scale}, but its values have {kept[0]}"
                remedy = "loom db diff writes what changes them, loom db upgrade applies it"
                yield Issue(code="LOOM-DB-004", where=Place(name=f"table {name}"), message=message, remedy=remedy)


def _missing(present: _Present, catalogue: Catalogue) -> Iterator[Issue]:
    for name, table in catalogue.tables.items():
        place = Place(name=f"table {name}")
        if name not in present:
            remedy = "migrate the database, or set persistence.create_tables: true"
            yield Issue(code="LOOM-DB-003", where=place, message=f"{table.schema.name} has no table", remedy=remedy)
            continue
        missing = [column for column in table.schema.names if column not in present[name]]
        if missing:
            message = f"{table.schema.name} has fields without a column: {', '.join(missing)}"
            remedy = "loom db diff writes what is missing, loom db upgrade applies it; a start never changes a table"
            yield Issue(code="LOOM-DB-004", where=place, message=message, remedy=remedy)
