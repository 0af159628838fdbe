"""The states of a unit of work, the same in every store: open, failed, closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from loom.application.compile import nearest, place_of
from loom.domain.errors import ConfigError, Conflict, Issue, PreconditionFailed, ScopeClosed, ScopeFailed


@attrs.define(eq=False, repr=False)
class UnitState:
    """Whether a unit of work may still be used.

    A statement that failed dooms the unit: PostgreSQL ends the transaction there, and a unit that may go on in one
    store and not in another would be a trap.
    """

    read_only: bool
    closed: bool = False
    failure: BaseException | None = None

    def check(self) -> None:
        """Refuse what can no longer be done.

        Raises:
            ScopeClosed: the unit of work has ended.
            ScopeFailed: a statement failed before; only a rollback is left.
        """
        if self.closed:
            raise ScopeClosed("the unit of work has ended", remedy="use repositories inside the block that opened it")
        if self.failure is not None:
            raise ScopeFailed(
                f"a statement failed and its error was caught: {self.failure}",
                remedy="let the error end the unit of work, and try again in another one",
            ) from self.failure

    def check_write(self) -> None:
        """Refuse a write as ``check`` does, and in a read-only unit of work.

        Raises:
            ScopeClosed: the unit of work is read-only, or has ended.
            ScopeFailed: a statement failed before.
        """
        self.check()
        if self.read_only:
            raise ScopeClosed("the unit of work is read-only", remedy="set read_only = False on the use case")


def other_version(table: str) -> PreconditionFailed:
    """The error of a writer that expected a version that the row has no longer."""
    return PreconditionFailed(
        f"{table}: the row has been changed since it was read", remedy="read it again, and decide again"
    )


def dangling(table: str, fields: Sequence[str]) -> Conflict:
    """The conflict of references to rows that do not exist."""
    return Conflict(f"{table}: no row exists that {', '.join(fields)} refers to", fields=fields)


def unknown_model(model: type, started: Iterable[type]) -> ConfigError:
    """The error for a model that the store was not started with."""
    name = getattr(model, "__name__", repr(model))
    near = nearest(name, [each.__name__ for each in started])
    remedy = f"did you mean {near!r}?" if near and near != name else "discover the module of the model, or list it"
    message = f"{name} is not among the models that the store was started with"
    return ConfigError([Issue(code="LOOM-CORE-010", where=place_of(model), message=message, remedy=remedy)])
