"""Which translation of errors a database has."""

from __future__ import annotations

from loom.adapters.sqlalchemy.errors import Translation
from loom.adapters.sqlalchemy.storage import SQLITE
from loom.adapters.sqlalchemy.tables import Catalogue


def translation_of(dialect: str, address: str, catalogue: Catalogue) -> Translation:
    """The translation of a database's errors.

    Args:
        dialect: ``sqlite`` or ``postgresql``.
        address: what is shown to users of where the database is.
        catalogue: knows the constraints.
    """
    # Here and not above: each driver has an extra of its own.
    if dialect == SQLITE:
        from loom.adapters.sqlalchemy.errors_sqlite import SqliteTranslation

        return SqliteTranslation(address, catalogue)
    from loom.adapters.sqlalchemy.errors_postgresql import PostgresTranslation

    return PostgresTranslation(address, catalogue)
