"""What PostgreSQL's errors mean, by their states: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

from __future__ import annotations

import asyncpg
import attrs

from loom.adapters.sqlalchemy.errors import (
    Translation,
    missing_value,
    overtaken,
    schema_differs,
    still_referenced,
    taken,
    too_many,
    unfit,
)
from loom.application.units import dangling
from loom.domain.errors import Conflict, LoomError

_OVERTAKEN = ("40001", "40P01")
_DOWN = ("08", "53", "55P03", "57")
_REFUSED = ("28", "3D")
_SCHEMA = ("42P01", "42703", "3F")
_DATA = ("22",)
_INTEGRITY = "23"
_TOO_MANY, _MOST = "number of query arguments", 32_767
_UNIQUE, _FOREIGN_KEY, _NOT_NULL, _CHECK = "23505", "23503", "23502", "23514"


@attrs.frozen(eq=False)
class PostgresTranslation(Translation):
    """Translates what asyncpg raises."""

    def of_driver(self, error: Exception, table: str, sql: str) -> LoomError | None:
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            # The driver prepares its statements anew, but the transaction is lost.
            return self.changed(error)
        if isinstance(error, asyncpg.PostgresError):
            return self._of_state(error, table, sql)
        if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
            if _TOO_MANY in str(error):
                return too_many(_MOST)
            # The client's own: a value that it cannot encode, or a connection that is gone or about to be.
            return unfit(error) if isinstance(error, ValueError) else self.unavailable(error)
        return None

    def _of_state(self, error: asyncpg.PostgresError, table: str, sql: str) -> LoomError:
        state = str(error.sqlstate or "")
        if state.startswith(_INTEGRITY):
            return self._conflict(error, state, table, sql)
        if state.startswith(_OVERTAKEN):
            return overtaken(table)
        if state.startswith(_DATA):
            return unfit(error)
        if state.startswith(_SCHEMA):
            return schema_differs(error)
        if state.startswith(_REFUSED):
            return self.refused(error)
        return self.unavailable(error) if state.startswith(_DOWN) else self.failed(error)

    def _conflict(self, error: asyncpg.PostgresError, state: str, table: str, sql: str) -> LoomError:
        constraint = str(getattr(error, "constraint_name", "") or "")
        if state == _UNIQUE:
            return taken(table, self.catalogue.unique.get(constraint, ()))
        if state == _NOT_NULL:
            return missing_value(table, [str(getattr(error, "column_name", ""))])
        if state == _CHECK and constraint in self.catalogue.checks:
            return self.catalogue.checks[constraint]()
        reference = self.catalogue.references.get(constraint)
        if state == _FOREIGN_KEY and reference is not None:
            # A table that refers to itself is at both ends.
            lost = reference.table == table and not sql.startswith("DELETE")
            return dangling(table, [reference.field]) if lost else still_referenced(reference)
        return Conflict(f"{table}: the database refuses the change ({constraint or state})")
