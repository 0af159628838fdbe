"""Insertions that say what happens where the row is there already. Each database has a construct of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.storage import POSTGRESQL

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_into(table: sa.Table, dialect: Dialect) -> postgresql.Insert | sqlite.Insert:
    """An insertion with ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    # Here and not above: a dialect that is not used costs a start as much as the one that is.
    if dialect.name == POSTGRESQL:
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
