"""A store behind a read cache keeps every contract of a store, with every model cached and every row read twice.

So all kinds of columns, keys, relations and projections go through the cache, and come out as the store gave them.
"""

from __future__ import annotations

from typing import Any, TypeVar

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.cache import MemoryCache
from loom.adapters.memory.persistence import MemoryPersistence
from loom.application.caching.persistence import CachedPersistence, ReadingUnit
from loom.application.caching.repositories import PlainRepository
from loom.domain.model import ModelSchema
from loom.ports.cache import Lookup
from loom.ports.persistence import Repository
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence import PersistenceContract
from loom.testing.contracts.persistence_on_delete import OnDeleteContract
from loom.testing.contracts.persistence_relations import RelationContract

M = TypeVar("M")


class CountingCache(MemoryCache):
    """Counts what it found."""

    hits = 0

    async def get(self, key: str, tags: Any) -> Lookup:
        found = await super().get(key, tags)
        self.hits += found.value is not None
        return found


class Twice(PlainRepository[M]):
    """Reads each row twice: the second time from the cache, but for what is loaded for one caller alone."""

    def __init__(self, rows: Repository[M], cache: CountingCache, *, filtered: bool) -> None:
        super().__init__(rows)
        self.cache = cache
        self.filtered = filtered

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        first = await self.rows.get(key, profile=profile)
        before = self.cache.hits
        second = await self.rows.get(key, profile=profile)
        assert repr(second) == repr(first)
        assert (self.cache.hits > before) == (first is not None and not (self.filtered and profile))
        return second


class EveryModelCached(CachedPersistence):
    """Caches also what declares no time."""

    def seconds(self, schema: ModelSchema) -> float:
        return 60

    def reading(self, rows: Repository[M], model: type[M], unit: ReadingUnit, *, filtered: bool) -> Repository[M]:
        assert isinstance(self.cache, CountingCache)
        return Twice(super().reading(rows, model, unit, filtered=filtered), self.cache, filtered=filtered)


class CachedSuite:
    """Opens a store in memory behind a cache in memory."""

    async def make_persistence(self, clock: FakeClock) -> EveryModelCached:
        cache = CountingCache(max_entries=1000, clock=clock)
        return EveryModelCached(MemoryPersistence(codec=JsonCodec(), clock=clock), cache, JsonCodec())


class TestCachedPersistence(CachedSuite, PersistenceContract):
    """Rows of every kind."""


class TestCachedRelations(CachedSuite, RelationContract, OnDeleteContract):
    """Profiles, and what deleting does."""
