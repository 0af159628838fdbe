"""``MemoryStore``: the memory store as tests use it. It can be filled, looked into, and made to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar, cast

from loom.adapters.memory.faults import Faults
from loom.adapters.memory.persistence import MemoryPersistence, MemoryUnitOfWork
from loom.domain.errors import LoomError
from loom.domain.events import OutboxRecord
from loom.domain.query import Query
from loom.domain.visibility import RowFilters
from loom.ports.clock import Clock
from loom.ports.persistence import UnitOfWork
from loom.testing.clock import FakeClock
from loom.testing.given import referred_first

M = TypeVar("M")

UNIT_POINTS: Final = ("begin", "commit", "committed", "claim", "sent")
REPOSITORY_POINTS: Final = (
    "get",
    "find",
    "list",
    "count",
    "exists",
    "stream",
    "pick",
    "pick_one",
    "create",
    "create_all",
    "create_many",
    "update",
    "delete",
)
POINTS: Final = (*UNIT_POINTS, *REPOSITORY_POINTS)


class MemoryStore(MemoryPersistence):
    """A store in memory, with the checks of a database: types, lengths, unique values, references.

        store = MemoryStore()
        store.faults.inject("create", Unavailable("the database is gone"))
        with kernel.override(Persistence, store): ...

    The points at which calls can be made to fail are ``begin`` (opening a unit of work), ``commit`` (before anything is
    kept), ``committed`` (after everything is), ``claim`` and ``sent`` (of the relay), and every method of a repository:
    ``get``, ``find``, ``list``, ``count``, ``exists``, ``stream``, ``pick``, ``pick_one``, ``create``, ``create_all``,
    ``create_many``, ``update``, ``delete``.

    Args:
        clock: dates rows; a ``FakeClock`` of its own where none is given.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        # The codec's library is loaded with the first store, not with the face.
        from loom.adapters.json.codec import JsonCodec

        super().__init__(codec=JsonCodec(), clock=clock or FakeClock())
        self.faults = Faults(POINTS)

    @asynccontextmanager
    async def _begin(self, read_only: bool) -> AsyncIterator[UnitOfWork]:
        async with super()._begin(read_only) as unit:
            yield cast("UnitOfWork", _FaultyUnit(cast("MemoryUnitOfWork", unit), self.faults))

    async def put(self, *rows: object) -> None:
        """Store entities, each with the key that it has, in an order that references allow. Missing tables are made."""
        await self.start([type(row) for row in rows])
        with self._sound():
            await self._put(referred_first(rows))

    async def _put(self, rows: Sequence[object]) -> None:
        async with super()._begin(False) as unit:
            for row in rows:
                repository: Any = unit.repository(type(row))
                await repository.create(row)
            await unit.commit()

    async def rows(self, model: type[M]) -> list[M]:
        """Every stored row of a model, in the order of its keys."""
        await self.start([model])
        with self._sound():
            async with super()._begin(True) as unit:
                return [row async for row in unit.repository(model).stream(Query(limit=None))]

    def waiting(self) -> Sequence[OutboxRecord]:
        """The records of the outbox that nobody has sent, oldest first."""
        return [waiting.record for waiting in self.relay_store().log.waiting.values()]

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """What a test itself asks of the store uses up none of the failures that are meant for the code under test."""
        injected, self.faults = self.faults, Faults(POINTS)
        try:
            yield
        finally:
            self.faults = injected


class _FaultyUnit:
    """A unit of work whose repositories reach the points of a test first."""

    def __init__(self, unit: MemoryUnitOfWork, faults: Faults) -> None:
        self._unit = unit
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    def repository(self, model: type, filters: RowFilters | None = None) -> Any:
        return _FaultyRepository(self._unit.repository(model, filters), self._unit, self._faults)


class _FaultyRepository:
    def __init__(self, repository: Any, unit: MemoryUnitOfWork, faults: Faults) -> None:
        self._repository = repository
        self._unit = unit
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._repository, name)
        return self._reaching(name, found) if name in REPOSITORY_POINTS else found

    def _reaching(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                self._faults.reach(name)
            except LoomError as error:
                # As in a database: after a statement that failed nothing in the unit can be kept.
                self._unit.state.failure = error
                raise
            return method(*args, **kwargs)

        return call
