"""``Scope``: the one unit of work, context and container scope of a call, whoever makes the call."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from loom.application.repositories import RepositoryBuilder, own_repository
from loom.domain.context import Context, Principal
from loom.domain.errors import ScopeClosed, Unauthenticated
from loom.domain.events import OutboxKind, OutboxRecord, event_options
from loom.domain.visibility import RowFilters
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import Repository, UnitOfWork

M = TypeVar("M")


@attrs.define(eq=False, repr=False)
class Scope:
    """Lives from the opening of the unit of work to its commit or rollback.

    ``failure`` is the first error of a nested call. It fails the whole scope even where it was caught, because the
    nested call's writes are in the same transaction. ``records`` wait for ``flush``.
    """

    context: Context
    unit: UnitOfWork
    codec: Codec
    clock: Clock
    read_only: bool = False
    builder: RepositoryBuilder | None = None
    failure: BaseException | None = None
    closed: bool = False
    records: list[OutboxRecord] = attrs.field(factory=list, init=False)

    def repository(self, model: type[M], filters: RowFilters | None = None) -> Repository[M]:
        """The repository of a model in this unit of work; see ``UnitOfWork.repository``.

        Raises:
            ScopeClosed: the call that the scope belongs to has ended.
        """
        self._require_open()
        default = self.unit.repository(model, filters)
        if self.builder is not None:
            default = self.builder.build(model, default, self.unit)
        return own_repository(model, default, self.unit)

    def emit(self, event: object) -> None:
        """Add a domain event to the outbox of this unit of work."""
        options = event_options(type(event))
        key = getattr(event, options.key) if options.key else None
        self.add(
            OutboxRecord(
                id=uuid.uuid4(),
                kind=OutboxKind.EVENT,
                destination=options.topic,
                type=type(event).__name__,
                key="" if key is None else str(key),
                payload=self.codec.encode(event),
                headers=self.context.headers(),
                created_at=self.clock.now(),
            )
        )

    def add(self, record: OutboxRecord) -> None:
        """Add a record to the outbox of this unit of work.

        Raises:
            ScopeClosed: the scope has ended, or it is read-only.
        """
        self._require_open()
        if self.read_only:
            raise ScopeClosed(
                f"a read-only use case cannot emit {record.type}", remedy="set read_only = False on the use case"
            )
        self.records.append(record)

    def fail(self, error: BaseException) -> None:
        """Remember the first failure of a nested call."""
        self.failure = self.failure or error

    async def flush(self) -> int:
        """Write the collected records into the unit of work; returns how many."""
        records, self.records = self.records, []
        if records:
            await self.unit.outbox.add(records)
        return len(records)

    def _require_open(self) -> None:
        if self.closed:
            raise ScopeClosed(
                "the unit of work has ended", remedy="use repositories only inside execute, and await what you start"
            )


ScopedFactory = Callable[[Scope, Any], object]
"""Makes a dependency for one scope; the second argument is the executor."""

SCOPED: dict[type, ScopedFactory] = {}
"""Types that a use case's constructor may ask for and that live as long as the scope. Each type registers itself in
its own file."""


def _principal(scope: Scope, _: Any) -> Principal:
    if scope.context.principal is None:
        raise Unauthenticated("nobody is known to call", remedy="send credentials")
    return scope.context.principal


SCOPED[Principal] = _principal
