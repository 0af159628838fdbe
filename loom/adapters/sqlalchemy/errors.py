"""The one mapping from database errors to loom's. Parameters never appear in a text, and neither do passwords."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
from sqlalchemy import exc

from loom.adapters.sqlalchemy.tables import Catalogue, Reference
from loom.domain.errors import (
    ConfigError,
    Conflict,
    EngineFailure,
    FieldError,
    InvalidInput,
    Issue,
    LoomError,
    Overtaken,
    Place,
    Unavailable,
)
from loom.domain.secrecy import without_passwords

_OVERTAKEN = ("40001", "40P01")
_DOWN = ("08", "53", "55P03", "57")
_REFUSED = ("28", "3D")
_SCHEMA = ("42P01", "42703", "3F")
_DATA = ("22",)
_UNIQUE, _FOREIGN_KEY, _NOT_NULL, _CHECK = "23505", "23503", "23502", "23514"

_SQLITE_DOWN = re.compile(r"locked|unable to open|disk|readonly|connection", re.IGNORECASE)
_START = "start it, or correct persistence.url"
_REMEDIES = {
    "locked": "let the other process finish writing, or raise persistence.lock_timeout",
    "is full": "make room on the disk of the file",
    # What SQLite says of a write that was cut short, which a quota or a limit of the process does too.
    "disk I/O": "make room on the disk of the file, or see whether the disk is sound",
    "readonly": "let this process write the file and its folder",
}
"""What an operator can do, by what SQLite says."""
_SQLITE_SCHEMA = re.compile(r"no such (table|column)|has no column", re.IGNORECASE)
_SQLITE_COLUMNS = re.compile(r"(UNIQUE|NOT NULL) constraint failed: (.+)")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (\w+)")
_SQLITE_FOREIGN_KEY = "FOREIGN KEY constraint failed"


class ForeignKeyFailed(Conflict):
    """A reference is broken, and SQLite did not say which: whoever sent the statement finds out."""


@attrs.frozen(eq=False)
class Translation:
    """Translates the errors of one database. ``address`` is shown to users; ``catalogue`` knows the constraints."""

    address: str
    catalogue: Catalogue

    @contextmanager
    def translated(self, table: str = "") -> Iterator[None]:
        """Turn what the block raises into loom's errors.

        Args:
            table: the table that is being written, where one is.
        """
        try:
            yield
        except exc.IntegrityError as error:
            raise self._conflict(error, table) from error
        except exc.DBAPIError as error:
            raise self._of_driver(error, table) from error
        except exc.StatementError as error:
            raise _unfit(error.orig or error) from error
        except exc.TimeoutError as error:
            raise Unavailable(
                f"no connection to the database {self.address} became free in time",
                remedy="raise persistence.pool_size, or let units of work end sooner",
            ) from error
        except (OSError, TimeoutError) as error:
            raise self._unavailable(error) from error
        except (UnicodeError, OverflowError) as error:
            # A value that only the driver found it could not send.
            raise _unfit(error) from error

    def _of_driver(self, error: exc.DBAPIError, table: str) -> LoomError:
        state = sqlstate(error)
        if state.startswith(_OVERTAKEN):
            return _overtaken(table)
        if state.startswith(_DATA):
            return _unfit(error)
        if state.startswith(_SCHEMA) or _says(error, _SQLITE_SCHEMA):
            return _schema_differs(error)
        if state.startswith(_REFUSED):
            return self._refused(error)
        down = isinstance(error, exc.OperationalError) and _says(error, _SQLITE_DOWN)
        if state.startswith(_DOWN) or error.connection_invalidated or down or (isinstance(error, exc.InterfaceError)):
            return self._unavailable(error)
        return EngineFailure(f"the database {self.address} refused a statement ({_text(error)})")

    def _conflict(self, error: exc.IntegrityError, table: str) -> LoomError:
        state = sqlstate(error)
        if not state:
            return self._sqlite_conflict(str(error.orig), table)
        cause = _cause(error)
        constraint = str(getattr(cause, "constraint_name", "") or "")
        if state == _UNIQUE:
            return taken(table, self.catalogue.unique.get(constraint, ()))
        if state == _NOT_NULL:
            return _missing_value(table, [str(getattr(cause, "column_name", ""))])
        if state == _CHECK and constraint in self.catalogue.checks:
            return self.catalogue.checks[constraint]()
        reference = self.catalogue.references.get(constraint)
        if state == _FOREIGN_KEY and reference is not None:
            # A table that refers to itself is at both ends.
            lost = reference.table == table and not (error.statement or "").startswith("DELETE")
            return dangling(table, [reference.field]) if lost else still_referenced(reference)
        return Conflict(f"{table}: the database refuses the change ({constraint or state})")

    def _sqlite_conflict(self, text: str, table: str) -> LoomError:
        if _SQLITE_FOREIGN_KEY in text:
            return ForeignKeyFailed(f"{table}: a reference between rows would be broken")
        check = _SQLITE_CHECK.search(text)
        if check is not None and check[1] in self.catalogue.checks:
            return self.catalogue.checks[check[1]]()
        found = _SQLITE_COLUMNS.search(text)
        if found is None:
            return Conflict(f"{table}: the database refuses the change ({text})")
        fields = [name.strip().rpartition(".")[2] for name in found[2].split(",")]
        return taken(table, fields) if found[1] == "UNIQUE" else _missing_value(table, fields)

    def _unavailable(self, error: BaseException) -> Unavailable:
        text = _text(error)
        remedy = next((each for said, each in _REMEDIES.items() if said in text), _START)
        return Unavailable(f"the database {self.address} does not answer ({text})", remedy=remedy)

    def _refused(self, error: exc.DBAPIError) -> ConfigError:
        message = f"the database {self.address} refuses the connection ({_text(error)})"
        remedy = "correct the user, the password or the database name, or create the database"
        return ConfigError(
            [Issue(code="LOOM-DB-002", where=Place(name="persistence.url"), message=message, remedy=remedy)]
        )


def sqlstate(error: exc.DBAPIError) -> str:
    """PostgreSQL's five-letter state of an error; empty on SQLite."""
    return str(getattr(_cause(error), "sqlstate", "") or "")


def taken(table: str, fields: tuple[str, ...] | list[str]) -> Conflict:
    """The conflict of a value that another row has."""
    return Conflict(f"{table}: another row has the same {', '.join(fields) or 'unique value'}", fields=fields)


def dangling(table: str, fields: list[str]) -> Conflict:
    """The conflict of a reference to a row that does not exist."""
    return Conflict(f"{table}: no row exists that {', '.join(fields)} refers to", fields=fields)


def still_referenced(reference: Reference) -> Conflict:
    """The conflict of a row that others refer to."""
    message = f"{reference.target}: rows of {reference.table} still refer to it by {reference.field}"
    return Conflict(message, fields=[reference.column])


def _overtaken(table: str) -> Conflict:
    what = f"{table}: another" if table else "another"
    return Overtaken(f"{what} unit of work changed the same row first", remedy="run the unit of work again")


def _missing_value(table: str, fields: list[str]) -> InvalidInput:
    return InvalidInput([FieldError(path=(name,), message="must not be null") for name in fields], subject=table)


def _unfit(error: BaseException) -> InvalidInput:
    # Only the kind of the fault: drivers quote the value.
    cause = _cause(error) if isinstance(error, exc.DBAPIError) else error
    message = f"holds a value that the database does not take ({type(cause).__name__})"
    return InvalidInput([FieldError(path=(), message=message)])


def _schema_differs(error: exc.DBAPIError) -> ConfigError:
    message = f"the tables of the database are not those of the models ({_text(error)})"
    issue = Issue(code="LOOM-DB-004", where=Place(name="persistence"), message=message, remedy="migrate the database")
    return ConfigError([issue])


def _cause(error: exc.DBAPIError) -> BaseException | None:
    """The driver's own exception: SQLAlchemy puts one of its own between."""
    orig = error.orig
    return orig.__cause__ if orig is not None and orig.__cause__ is not None else orig


def _says(error: exc.DBAPIError, pattern: re.Pattern[str]) -> bool:
    return isinstance(error.orig, sqlite3.Error) and pattern.search(str(error.orig)) is not None


def _text(error: BaseException) -> str:
    cause = _cause(error) if isinstance(error, exc.DBAPIError) else error
    first = without_passwords(str(cause)).strip().partition("\n")[0]
    return f"{type(cause).__name__}: {first}" if first else type(cause).__name__
