"""Models that may be cached, and stores behind caches, for the tests of cached reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from loom.application.caching.persistence import CachedPersistence, ReadingUnit
from loom.application.caching.repositories import PlainRepository
from loom.core import entity, field, key, projection, relation
from loom.ports.cache import Cache, Lookup
from loom.ports.persistence import Repository

M = TypeVar("M")


@entity(table="cached_owners", cache=60)
class Owner:
    id: int = key(autoincrement=True)
    name: str


@entity(table="cached_boats", cache=60, profiles={"with_owner": ("owner",), "with_trips": ("trips_count",)})
class Boat:
    id: int = key(autoincrement=True)
    name: str
    owner_id: int | None = field(default=None, references="cached_owners.id", on_delete="cascade")
    owner: Owner | None = relation()
    trips: tuple[Trip, ...] = relation()
    trips_count: int = projection(count="trips")


@entity(table="cached_trips", cache=60)
class Trip:
    id: int = key(autoincrement=True)
    boat_id: int = field(references="cached_boats.id", on_delete="cascade")
    crew_id: int | None = field(default=None, references="cached_owners.id", on_delete="set_null")


@entity(table="cached_logs")
class Log:
    """Is not cached, and nothing that is cached depends on it."""

    id: int = key(autoincrement=True)
    text: str


MODELS = (Owner, Boat, Trip, Log)


async def _nothing() -> None:
    return None


class WatchedCache:
    """A cache that tells what it found and what it was told to forget."""

    def __init__(self, inner: Cache) -> None:
        self.inner = inner
        self.hits = 0
        self.forgotten: list[str] = []

    async def get(self, key: str, tags: Sequence[str]) -> Lookup:
        found = await self.inner.get(key, tags)
        self.hits += found.value is not None
        return found

    async def put(self, key: str, value: bytes, *, stamp: bytes, seconds: float) -> None:
        await self.inner.put(key, value, stamp=stamp, seconds=seconds)

    async def invalidate(self, tags: Sequence[str]) -> None:
        self.forgotten += tags
        await self.inner.invalidate(tags)

    async def close(self) -> None:
        await self.inner.close()


class AfterGet(PlainRepository[M]):
    """Does something after it has read a row, once."""

    def __init__(self, rows: Repository[M], store: SlowReads) -> None:
        super().__init__(rows)
        self.store = store

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        row = await self.rows.get(key, profile=profile)
        act, self.store.after_get = self.store.after_get, _nothing
        await act()
        return row


class SlowReads(CachedPersistence):
    """Lets a test do something between the reading of a row and its keeping."""

    after_get: Callable[[], Awaitable[None]] = staticmethod(_nothing)

    def reading(self, rows: Repository[M], model: type[M], unit: ReadingUnit, *, filtered: bool) -> Repository[M]:
        return super().reading(AfterGet(rows, self), model, unit, filtered=filtered)


class Reads:
    """Reads and writes through a store behind a watched cache."""

    def __init__(self, store: SlowReads, cache: WatchedCache) -> None:
        self.store = store
        self.cache = cache

    async def get(self, model: type[M], key: int, profile: str = "") -> M | None:
        """The row, as a unit that only reads is given it."""
        async with self.store.begin(read_only=True) as unit:
            return await unit.repository(model).get(key, profile=profile)

    async def hit(self, model: type, key: int, profile: str = "") -> bool:
        """Whether the row is read from the cache."""
        before = self.cache.hits
        await self.get(model, key, profile)
        return self.cache.hits > before

    @asynccontextmanager
    async def writing(self, model: type[M]) -> AsyncIterator[Repository[M]]:
        """The repository of a unit that writes and commits."""
        async with self.store.begin() as unit:
            yield unit.repository(model)
            await unit.commit()
