"""``CachedPersistence``: a read cache in front of any store.

Only units of work that only read look into the cache, and only for ``get``: who decides something on a row reads the
row itself. A unit that wrote forgets what it touched when its commit is done, and not before: until then everybody
else has to see the old rows, and after a rollback too. Between a commit and its invalidation, a moment later, a reader
may still be given the old row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TypeVar

import attrs

from loom.application.caching.form import form_of
from loom.application.caching.reach import Touched, tables_of, touched_by
from loom.application.caching.repositories import CachedModel, CachedProfile, CachedRepository, TrackedRepository
from loom.application.compile import Issues
from loom.application.graph import Graph, compile_graph
from loom.application.profiles import Profile
from loom.application.row_compiler import compile_rows
from loom.domain.errors import LoomError, Unavailable
from loom.domain.model import ModelSchema
from loom.domain.visibility import RowFilters
from loom.ports.cache import Cache
from loom.ports.codec import Codec
from loom.ports.jobs import JobStatusStore
from loom.ports.persistence import Answers, Inbox, Outbox, Persistence, RelayStore, Repository, UnitOfWork

M = TypeVar("M")


class CachedPersistence:
    """See ``Persistence``. Models that declare no ``cache`` are read and written as without it.

    Args:
        store: the store itself.
        cache: in front of it.
        codec: writes and reads what lies in the cache.
    """

    def __init__(self, store: Persistence, cache: Cache, codec: Codec) -> None:
        self.store = store
        self.cache = cache
        self._codec = codec
        self._models: dict[type, CachedModel] = {}
        self._alone: dict[type, CachedModel] = {}
        self._touched: Mapping[type, Touched] = {}
        self._forgetting: set[asyncio.Task[None]] = set()

    def begin(self, *, read_only: bool = False) -> AbstractAsyncContextManager[UnitOfWork]:
        inner = self.store.begin(read_only=read_only)
        return _Begun(self, inner, read_only=read_only) if self._models else inner

    async def start(self, models: Sequence[type]) -> None:
        """Start the store, and compile what is cached of the models.

        Raises:
            CompileError: the models have faults.
        """
        issues = Issues()
        graph = compile_graph([*self._models, *models], issues)
        issues.raise_if_any()
        await self.store.start(models)
        cached = [(schema, self.seconds(schema)) for schema in graph.schemas]
        self._models = {schema.model: self._compiled(graph, schema, time) for schema, time in cached if time}
        self._alone = {
            model: attrs.evolve(found, profiles={"": found.profiles[""]}) for model, found in self._models.items()
        }
        profiles = [profile for model in self._models.values() for profile in model.profiles.values()]
        self._touched = touched_by(graph, frozenset(table for profile in profiles for table in profile.tables))

    async def stop(self) -> None:
        """Stop the store and close the cache."""
        try:
            await self.store.stop()
        finally:
            await asyncio.gather(*self._forgetting)
            await self.cache.close()

    def relay_store(self) -> RelayStore:
        return self.store.relay_store()

    def job_statuses(self) -> JobStatusStore:
        return self.store.job_statuses()

    def seconds(self, schema: ModelSchema) -> float:
        """For how long rows of a model are kept; 0 for not at all."""
        return schema.cache

    def reading(self, rows: Repository[M], model: type[M], unit: ReadingUnit, *, filtered: bool) -> Repository[M]:
        """The repository of a model in a unit that only reads. What is loaded beside its rows is the same for everybody
        unless it is filtered, and is cached only then."""
        found = (self._alone if filtered else self._models).get(model)
        return rows if found is None else CachedRepository(rows, found, self.cache, self._codec, lambda: unit.is_open)

    def writing(self, rows: Repository[M], model: type[M], unit: WritingUnit) -> Repository[M]:
        """The repository of a model in a unit that may write."""
        found = self._touched.get(model)
        return rows if found is None else TrackedRepository(rows, found, unit.remember)

    async def forget(self, tables: Sequence[str]) -> None:
        """Forget every row that depends on one of the tables, also where the caller is cancelled meanwhile."""
        try:
            await self.cache.invalidate(tables)
        except asyncio.CancelledError:
            task = asyncio.ensure_future(self.cache.invalidate(tables))
            self._forgetting.add(task)
            task.add_done_callback(self._forgetting.discard)
            raise

    def _compiled(self, graph: Graph, schema: ModelSchema, seconds: float) -> CachedModel:
        profiles = {"": Profile(schema.model, {}, ()), **graph.profiles[schema.model]}
        return CachedModel(
            rows=compile_rows(schema, self._codec),
            seconds=seconds,
            profiles={name: _profile(graph, schema, name, profile) for name, profile in profiles.items()},
        )


def _profile(graph: Graph, schema: ModelSchema, name: str, profile: Profile) -> CachedProfile:
    form = form_of(graph, profile)
    # With the form in the key, two versions of an application may share a cache.
    prefix = f"{schema.table}:{name}:{form.print}:"
    return CachedProfile(prefix=prefix, form=form, tables=tables_of(graph, profile))


@attrs.define(eq=False, repr=False)
class _Unit:
    """What both units of work leave to the store's own."""

    cached: CachedPersistence
    store_unit: UnitOfWork
    is_open: bool = True

    @property
    def outbox(self) -> Outbox:
        return self.store_unit.outbox

    @property
    def inbox(self) -> Inbox:
        return self.store_unit.inbox

    @property
    def answers(self) -> Answers:
        return self.store_unit.answers


@attrs.define(eq=False, repr=False)
class ReadingUnit(_Unit):
    """A unit of work that only reads, and looks into the cache first."""

    def repository(self, model: type[M], filters: RowFilters | None = None) -> Repository[M]:
        rows = self.store_unit.repository(model, filters)
        return self.cached.reading(rows, model, self, filtered=filters is not None)

    async def commit(self) -> None:
        await self.store_unit.commit()
        self.is_open = False


@attrs.define(eq=False, repr=False)
class WritingUnit(_Unit):
    """A unit of work that forgets, after its commit, what it touched."""

    _tables: set[str] = attrs.field(factory=set, init=False)

    def repository(self, model: type[M], filters: RowFilters | None = None) -> Repository[M]:
        return self.cached.writing(self.store_unit.repository(model, filters), model, self)

    def remember(self, tables: Iterable[str]) -> None:
        """Note tables that were touched."""
        self._tables.update(tables)

    async def commit(self) -> None:
        try:
            await self.store_unit.commit()
        except BaseException as error:
            # The answer to a commit may be lost on its way; only what was refused did not happen.
            if not isinstance(error, LoomError) or isinstance(error, Unavailable):
                await self._forget()
            raise
        self.is_open = False
        await self._forget()

    async def _forget(self) -> None:
        tables, self._tables = sorted(self._tables), set()
        if tables:
            await self.cached.forget(tables)


class _Begun:
    """The block of one unit of work. A class and not a generator: every request passes here."""

    __slots__ = ("_cached", "_inner", "_read_only", "_unit")

    _unit: ReadingUnit | WritingUnit

    def __init__(
        self, cached: CachedPersistence, inner: AbstractAsyncContextManager[UnitOfWork], *, read_only: bool
    ) -> None:
        self._cached = cached
        self._inner = inner
        self._read_only = read_only

    async def __aenter__(self) -> UnitOfWork:
        inner = await self._inner.__aenter__()
        self._unit = (ReadingUnit if self._read_only else WritingUnit)(self._cached, inner)
        return self._unit

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._unit.is_open = False
        return await self._inner.__aexit__(kind, error, trace)
