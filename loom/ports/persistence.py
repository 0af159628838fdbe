"""Protocols of persistence. Repositories live inside a unit of work; nobody else opens one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from loom.domain.events import OutboxRecord
from loom.domain.expr import Expr
from loom.domain.idempotency import KeptAnswer
from loom.domain.query import Page, Query
from loom.domain.visibility import RowFilters
from loom.ports.jobs import JobStatusStore

M_co = TypeVar("M_co", covariant=True)
M = TypeVar("M")


class Reader(Protocol[M_co]):
    """Protocol of reading one model. Keys are a value, or a tuple for composite keys.

    A profile names what is loaded beside the row: relations and projections as the model declares them, each relation
    of several by one statement for all rows at once, however many they are. What it does not name is ``NOT_LOADED``.
    A profile that the model does not have is ``InvalidInput``.
    """

    async def get(self, key: Any, *, profile: str = "") -> M_co | None:
        """The row of that key."""

    async def find(self, where: Expr, *, profile: str = "") -> M_co | None:
        """The first row, in key order, for which the predicate is true."""

    async def list(self, query: Query) -> Page[M_co]:
        """A page of rows."""

    async def pick(self, query: Query, fields: Sequence[str]) -> Page[Mapping[str, Any]]:
        """A page of rows with the key and these columns alone, by name in the order of the model; no others are read.
        The profile of the query loads nothing.

        Raises:
            InvalidInput: a column does not exist.
        """

    async def pick_one(self, key: Any, fields: Sequence[str]) -> Mapping[str, Any] | None:
        """The row of that key as ``pick`` gives it."""

    async def exists(self, where: Expr) -> bool:
        """Whether the predicate is true for any row; none is read."""

    async def count(self, where: Expr | None = None) -> int:
        """How many rows match."""

    def stream(self, query: Query) -> AsyncIterator[M_co]:
        """All rows that match, in constant memory; ``limit`` applies only where it is set."""


class Writer(Protocol[M_co]):
    """Protocol of writing one model.

    ``values`` is a mapping of the model's fields, in which any other name is ``InvalidInput``, or an attrs object (a
    command), of which fields that the model does not have are left out. Left out are fields that are ``ABSENT`` too,
    and those that the store keeps itself: the version (1 at first, one more with each update), the time of the last
    update, the mark of a deleted row.
    """

    async def create(self, values: object) -> M_co:
        """Insert one row and return it as stored.

        Raises:
            Conflict: a unique value is taken or a referenced row is missing.
            CheckFailed: a named check of the model does not hold.
        """

    async def create_all(self, values: Sequence[object]) -> Sequence[M_co]:
        """Insert many rows, or none, and return them as stored, in the order of ``values``; in few statements.

        Raises:
            InvalidInput: values that do not fit, of all rows; each path begins with the position of its row.
            Conflict: as ``create``; it does not say which row.
        """

    async def create_many(self, values: Sequence[object]) -> int:
        """Insert many rows in one go, for loading; returns how many."""

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M_co | None:
        """Change the named fields only; ``None`` where no such row exists.

        Raises:
            Conflict: a unique value is taken or a referenced row is missing.
            CheckFailed: a named check of the model does not hold.
            PreconditionFailed: the row has another version than the expected one, or gets one meanwhile.
            InvalidInput: a version is expected, but the model keeps none.
        """

    async def delete(self, key: Any, *, expected_version: int | None = None) -> bool:
        """Remove a row; ``False`` where there was none. With soft deletion the row stays in its table, and no call of a
        repository finds it again; references to it stay as they are.

        Raises:
            Conflict: other rows still refer to it.
            PreconditionFailed: the row has another version than the expected one, or gets one meanwhile.
            InvalidInput: a version is expected, but the model keeps none.
        """


class Repository(Reader[M_co], Writer[M_co], Protocol[M_co]):
    """Protocol of one model's store inside one unit of work."""


class Outbox(Protocol):
    """Protocol of the outbox inside a unit of work."""

    async def add(self, records: Sequence[OutboxRecord]) -> None:
        """Store records; they become visible to the relay when the unit of work commits, and not before."""


class Inbox(Protocol):
    """Protocol of the record of finished messages, written in the unit of work of the message itself."""

    async def claim(self, consumer: str, message_id: uuid.UUID) -> bool:
        """Record that ``consumer`` handles the message; ``False`` where it has handled it before.

        The record is part of the transaction: a rollback forgets it, so that a redelivery runs again.
        """


class Answers(Protocol):
    """Protocol of the answers kept for idempotency keys, inside the unit of work that does what they speak of."""

    async def claim(self, key: str, fingerprint: str, lifetime: dt.timedelta) -> KeptAnswer | None:
        """Take a key for this unit of work: ``None``. Where the key is taken, the answer that was kept under it.

        Called before anything else in the unit. Whoever takes a key keeps an answer under it before the commit; a
        rollback gives the key back. After ``lifetime`` the key is free again.

        Raises:
            Overtaken: another unit of work takes the same key at this moment (there, or at the commit).
        """

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        """Keep the answer under a key that this unit of work has taken; visible to others when it commits."""

    async def expire(self, limit: int) -> int:
        """Forget answers whose lifetime is over, at most ``limit`` of them; returns how many."""


class UnitOfWork(Protocol):
    """Protocol of one transaction. Leaving it without ``commit`` rolls back.

    Where two units of work read and write the same row, no update is lost silently: the later one waits for the
    earlier and sees its change, or it fails with ``Conflict`` and can be run again. Each adapter says which.

    A statement that raised ``Conflict``, ``CheckFailed``, ``PreconditionFailed`` or ``Unavailable`` dooms the unit:
    whatever follows is ``ScopeFailed``. After ``commit`` or the end of the block everything is ``ScopeClosed``, as is a
    write in a read-only unit.
    """

    def repository(self, model: type[M], filters: RowFilters | None = None) -> Repository[M]:
        """The repository of a model, valid until the unit of work ends.

        With ``filters`` no row that they leave out is there at the end of any relation: profiles do not load it,
        projections do not count it, and no predicate finds it.
        """

    @property
    def outbox(self) -> Outbox:
        """The outbox of this transaction."""

    @property
    def inbox(self) -> Inbox:
        """The inbox of this transaction."""

    @property
    def answers(self) -> Answers:
        """The answers to idempotency keys of this transaction."""

    async def commit(self) -> None:
        """Make everything durable and give the connection back.

        Raises:
            Conflict: a deferred constraint fails.
            Unavailable: the store did not answer; nothing was kept.
        """


class Persistence(Protocol):
    """Protocol of a store: it opens units of work and lets the relay read the outbox."""

    def begin(self, *, read_only: bool = False) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of work. A read-only one opens no transaction and refuses writes."""

    async def start(self, models: Sequence[type]) -> None:
        """Connect, and create what is missing where the configuration asks for it."""

    async def stop(self) -> None:
        """Give all connections back."""

    def relay_store(self) -> RelayStore:
        """The relay's side of the outbox."""

    def job_statuses(self) -> JobStatusStore:
        """The states of jobs, each written in a short transaction of its own: a failed job is recorded although its
        unit of work rolled back."""


class RelayStore(Protocol):
    """Protocol of the relay's side of the outbox: claims are exclusive among relays until they expire."""

    async def claim(self, limit: int, *, now: dt.datetime, lease: dt.timedelta) -> Sequence[OutboxRecord]:
        """Take the oldest unsent records in position order, and hide them from other relays for ``lease``.

        A record whose key has an older unsent record that is hidden is not taken: order per key holds across relays.
        """

    async def sent(self, ids: Sequence[uuid.UUID], *, now: dt.datetime) -> None:
        """Mark records as sent; they are never claimed again."""

    async def failed(self, ids: Sequence[uuid.UUID], *, reason: str, retry_at: dt.datetime) -> None:
        """Count a failed attempt and hide the records until ``retry_at``."""

    async def pending(self) -> int:
        """How many records wait. It is asked often, so it must not cost more the more has been sent."""

    async def counts(self) -> Mapping[str, int]:
        """How many records are ``pending`` and ``sent``."""
