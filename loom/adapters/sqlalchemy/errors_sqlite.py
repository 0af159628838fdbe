"""What SQLite's errors mean. It has codes for kinds of faults, and says the rest in words."""

from __future__ import annotations

import re
import sqlite3

import attrs

from loom.adapters.sqlalchemy.errors import (
    START,
    ForeignKeyFailed,
    Translation,
    missing_value,
    schema_differs,
    taken,
    told,
    unfit,
)
from loom.domain.errors import Conflict, LoomError

_DOWN = re.compile(r"locked|unable to open|disk|readonly|connection", re.IGNORECASE)
_REMEDIES = {
    "locked": "let the other process finish writing, or raise persistence.lock_timeout",
    "is full": "make room on the disk of the file",
    # What SQLite says of a write that was cut short, which a quota or a limit of the process does too.
    "disk I/O": "make room on the disk of the file, or see whether the disk is sound",
    "readonly": "let this process write the file and its folder",
}
"""What an operator can do, by what SQLite says."""
_TOO_MUCH = "pattern too complex"
"""What SQLite says of a pattern of more than 50,000 bytes."""
_SCHEMA = re.compile(r"no such (table|column)|has no column", re.IGNORECASE)
_COLUMNS = re.compile(r"(UNIQUE|NOT NULL) constraint failed: (.+)")
_CHECK = re.compile(r"CHECK constraint failed: (\w+)")
_FOREIGN_KEY = "FOREIGN KEY constraint failed"


@attrs.frozen(eq=False)
class SqliteTranslation(Translation):
    """Translates what the standard library's ``sqlite3`` raises."""

    def of_driver(self, error: Exception, table: str, sql: str) -> LoomError | None:
        if not isinstance(error, sqlite3.Error):
            return None
        text = str(error)
        if isinstance(error, sqlite3.IntegrityError):
            return self._conflict(text, table)
        if _TOO_MUCH in text:
            return unfit(error)
        if _SCHEMA.search(text):
            return schema_differs(error)
        if isinstance(error, sqlite3.OperationalError) and _DOWN.search(text):
            remedy = next((each for said, each in _REMEDIES.items() if said in told(error)), START)
            return self.unavailable(error, remedy)
        return self.failed(error)

    def _conflict(self, text: str, table: str) -> LoomError:
        if _FOREIGN_KEY in text:
            return ForeignKeyFailed(f"{table}: a reference between rows would be broken")
        check = _CHECK.search(text)
        if check is not None and check[1] in self.catalogue.checks:
            return self.catalogue.checks[check[1]]()
        found = _COLUMNS.search(text)
        if found is None:
            return Conflict(f"{table}: the database refuses the change ({text})")
        fields = [name.strip().rpartition(".")[2] for name in found[2].split(",")]
        return taken(table, fields) if found[1] == "UNIQUE" else missing_value(table, fields)
