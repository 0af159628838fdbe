"""The one mapping from database errors to loom's. Parameters never appear in a text, and neither do passwords."""

from __future__ import annotations

from abc import ABC, abstractmethod
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

START = "start it, or correct persistence.url"


class ForeignKeyFailed(Conflict):
    """A reference is broken, and SQLite did not say which: whoever sent the statement finds out."""


@attrs.frozen(eq=False, repr=False)
class Translation(ABC):
    """Translates the errors of one database; what its driver says is read by the subclass for it.

    Attributes:
        address: what is shown to users of where the database is.
        catalogue: knows the constraints.
    """

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
        except Exception as error:
            meant = self.meant(error, table)
            if meant is error:
                raise
            raise meant from error

    def meant(self, error: Exception, table: str = "", sql: str = "") -> Exception:
        """What an error of the database means to the user; an error of another origin is returned as it is.

        Args:
            error: what was raised.
            table: the table that was being written, where one was.
            sql: the statement.
        """
        if isinstance(error, LoomError):
            return error
        if isinstance(error, exc.DBAPIError):
            return self.meant(_cause(error), table, error.statement or sql)
        if isinstance(error, exc.StatementError):
            return unfit(error.orig or error)
        found = self.of_driver(error, table, sql)
        if found is not None:
            return found
        if isinstance(error, OSError):
            return self.unavailable(error)
        if isinstance(error, UnicodeError | OverflowError):
            # A value that only the driver found it could not send.
            return unfit(error)
        return error

    @abstractmethod
    def of_driver(self, error: Exception, table: str, sql: str) -> LoomError | None:
        """What an error of the driver means; ``None`` for any other error."""

    def unavailable(self, error: Exception, remedy: str = START) -> Unavailable:
        """The database does not answer."""
        return Unavailable(f"the database {self.address} does not answer ({told(error)})", remedy=remedy)

    def changed(self, error: Exception) -> Unavailable:
        """Columns got another type after their statements were prepared."""
        message = f"the tables of the database {self.address} were changed meanwhile ({told(error)})"
        return Unavailable(message, remedy="run the unit of work again")

    def failed(self, error: Exception) -> EngineFailure:
        """The database does not take a statement of ours."""
        return EngineFailure(f"the database {self.address} refused a statement ({told(error)})")

    def refused(self, error: Exception) -> ConfigError:
        """The database does not let us in."""
        message = f"the database {self.address} refuses the connection ({told(error)})"
        remedy = "correct the user, the password or the database name, or create the database"
        return ConfigError(
            [Issue(code="LOOM-DB-002", where=Place(name="persistence.url"), message=message, remedy=remedy)]
        )


def taken(table: str, fields: tuple[str, ...] | list[str]) -> Conflict:
    """The conflict of a value that another row has."""
    return Conflict(f"{table}: another row has the same {', '.join(fields) or 'unique value'}", fields=fields)


def still_referenced(reference: Reference) -> Conflict:
    """The conflict of a row that others refer to."""
    message = f"{reference.target}: rows of {reference.table} still refer to it by {reference.field}"
    return Conflict(message, fields=[reference.column])


def overtaken(table: str) -> Conflict:
    """The conflict of a row that another unit of work has changed."""
    what = f"{table}: another" if table else "another"
    return Overtaken(f"{what} unit of work changed the same row first", remedy="run the unit of work again")


def missing_value(table: str, fields: list[str]) -> InvalidInput:
    """Columns that must not be null."""
    return InvalidInput([FieldError(path=(name,), message="must not be null") for name in fields], subject=table)


def unfit(error: BaseException) -> InvalidInput:
    """A value that the database does not take."""
    # Only the kind of the fault: drivers quote the value.
    message = f"holds a value that the database does not take ({type(error).__name__})"
    return InvalidInput([FieldError(path=(), message=message)])


def too_many(most: int) -> InvalidInput:
    """More values than a statement takes."""
    return InvalidInput([FieldError(path=(), message=f"holds more than {most} values, which is all a statement takes")])


def schema_differs(error: Exception) -> ConfigError:
    """Tables or columns that are not there."""
    message = f"the tables of the database are not those of the models ({told(error)})"
    issue = Issue(code="LOOM-DB-004", where=Place(name="persistence"), message=message, remedy="migrate the database")
    return ConfigError([issue])


def told(error: BaseException) -> str:
    """The first line of what an error says, behind its kind."""
    first = without_passwords(str(error)).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _cause(error: exc.DBAPIError) -> Exception:
    """The driver's own exception: SQLAlchemy puts one of its own between."""
    orig: BaseException | None = error.orig
    found = orig.__cause__ if orig is not None and orig.__cause__ is not None else orig
    return found if isinstance(found, Exception) else EngineFailure(told(error))
