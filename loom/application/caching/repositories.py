"""The repositories of cached models: one that looks into the cache, one that remembers what it changed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from loom.application.caching.form import Form
from loom.application.caching.reach import Touched
from loom.application.repositories import DelegatingRepository
from loom.application.rows import RowPlan
from loom.domain.errors import LoomError
from loom.domain.query import Page, Query
from loom.ports.cache import Cache
from loom.ports.codec import Codec
from loom.ports.persistence import Repository

M = TypeVar("M")
log = logging.getLogger("loom.cache")
_LONGEST_KEY = 100


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CachedProfile:
    """How rows of one model with one profile lie in the cache, and which tables they depend on."""

    prefix: str
    form: Form
    tables: tuple[str, ...]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CachedModel:
    """A model whose rows may be cached, with its profiles by name."""

    rows: RowPlan[Any]
    seconds: float
    profiles: Mapping[str, CachedProfile]


class PlainRepository(DelegatingRepository[M]):
    """Does all that the repository of a store does."""

    async def pick(self, query: Query, fields: Sequence[str]) -> Page[Mapping[str, Any]]:
        return await self.rows.pick(query, fields)

    async def pick_one(self, key: Any, fields: Sequence[str]) -> Mapping[str, Any] | None:
        return await self.rows.pick_one(key, fields)


class CachedRepository(PlainRepository[M]):
    """Answers ``get`` from the cache, in a unit of work that only reads.

    Args:
        rows: the repository of the store.
        model: how its rows are cached.
        cache: where.
        codec: writes and reads what lies there.
        is_open: whether the unit of work is still open; the store says what is wrong where it is not.
    """

    def __init__(
        self, rows: Repository[M], model: CachedModel, cache: Cache, codec: Codec, is_open: Callable[[], bool]
    ) -> None:
        super().__init__(rows)
        self._model = model
        self._cache = cache
        self._codec = codec
        self._is_open = is_open

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        how = self._model.profiles.get(profile)
        if how is None or not self._is_open():
            return await self.rows.get(key, profile=profile)
        name = how.prefix + self._text(key)
        # The stamp is from before the row is read: what was read before a change is not found after it.
        found = await self._cache.get(name, how.tables)
        kept = None if found.value is None else self._read(how.form, found.value)
        if kept is not None:
            return kept
        row = await self.rows.get(key, profile=profile)
        if row is not None and found.stamp:
            data = self._written(how.form, row)
            if data is not None:
                await self._cache.put(name, data, stamp=found.stamp, seconds=self._model.seconds)
        return row

    def _text(self, key: Any) -> str:
        encoded = self._codec.encode(list(self._model.rows.key(key)))
        return encoded.hex() if len(encoded) <= _LONGEST_KEY else hashlib.sha256(encoded).hexdigest()

    def _read(self, form: Form, data: bytes) -> M | None:
        try:
            found: M = form.outward(self._codec.decode(data, form.shadow))
        except (LoomError, ValueError, TypeError):
            # Somebody else wrote there; the store knows better.
            log.warning("a cached row of %s cannot be read", form.model.__name__)
            return None
        return found

    def _written(self, form: Form, row: M) -> bytes | None:
        try:
            return self._codec.encode(form.inward(row))
        except (ValueError, TypeError):
            return None  # a value that the codec cannot write (NaN) is read from the store each time


class TrackedRepository(PlainRepository[M]):
    """Remembers which tables it changed.

    Args:
        rows: the repository of the store.
        touched: the tables that each kind of write touches.
        remember: receives them; called after the write, also where it failed half-way.
    """

    def __init__(self, rows: Repository[M], touched: Touched, remember: Callable[[Iterable[str]], None]) -> None:
        super().__init__(rows)
        self._touched = touched
        self._remember = remember

    async def create(self, values: object) -> M:
        try:
            return await self.rows.create(values)
        finally:
            self._remember(self._touched.written)

    async def create_all(self, values: Sequence[object]) -> Sequence[M]:
        try:
            return await self.rows.create_all(values)
        finally:
            self._remember(self._touched.written)

    async def create_many(self, values: Sequence[object]) -> int:
        try:
            return await self.rows.create_many(values)
        finally:
            self._remember(self._touched.written)

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M | None:
        nothing = False
        try:
            row = await self.rows.update(key, changes, expected_version=expected_version)
            nothing = row is None
        finally:
            if not nothing:
                self._remember(self._touched.written)
        return row

    async def delete(self, key: Any, *, expected_version: int | None = None) -> bool:
        nothing = False
        try:
            done = await self.rows.delete(key, expected_version=expected_version)
            nothing = not done
        finally:
            if not nothing:
                self._remember(self._touched.deleted)
        return done
