"""Reads through a cache: from it while nothing was written, from the store as soon as something was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.cache import MemoryCache
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.redis.provide import provide as provide_redis
from loom.adapters.redis.settings import RedisSettings
from loom.adapters.sqlalchemy.provide import provide as provide_sql
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.errors import Conflict, ScopeClosed, Unavailable
from loom.domain.expr import col
from loom.domain.relations import NOT_LOADED
from loom.domain.visibility import RowFilters
from loom.testing.clock import FakeClock
from tests.contract.cached_shop import MODELS, Boat, Log, Owner, Reads, SlowReads, Trip, WatchedCache
from tests.contract.statement_count import statements_of
from tests.servers.redis import RedisServer

CODEC = JsonCodec()


async def filled(reads: Reads) -> None:
    async with reads.writing(Owner) as owners:
        await owners.create_many([{"name": "ann"}, {"name": "bob"}])
    async with reads.writing(Boat) as boats:
        await boats.create_many([{"name": "kite", "owner_id": 1}, {"name": "gull", "owner_id": 2}])
    async with reads.writing(Trip) as trips:
        await trips.create({"boat_id": 1, "crew_id": 2})
    reads.cache.forgotten.clear()


@pytest.fixture
async def reads() -> AsyncIterator[Reads]:
    """A store in memory behind a cache in memory."""
    clock = FakeClock()
    cache = WatchedCache(MemoryCache(max_entries=100, clock=clock))
    store = SlowReads(MemoryPersistence(codec=CODEC, clock=clock), cache, CODEC)
    await store.start(MODELS)
    found = Reads(store, cache)
    await filled(found)
    yield found
    await store.stop()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def on_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reads]:
    """SQLite behind each cache."""
    clock = FakeClock()
    if request.param == "memory":
        cache = WatchedCache(MemoryCache(max_entries=100, clock=clock))
    else:
        settings = RedisSettings(url=request.getfixturevalue("clean_redis_url"))
        cache = WatchedCache(provide_redis(settings, codec=CODEC, clock=clock))
    sql = provide_sql(SqlalchemySettings(url=f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"), codec=CODEC, clock=clock)
    store = SlowReads(sql, cache, CODEC)
    await store.start(MODELS)
    found = Reads(store, cache)
    await filled(found)
    yield found
    await store.stop()


async def test_the_second_read_asks_no_database(on_sqlite: Reads) -> None:
    """With a profile and without one; what comes out is what the database gave."""
    row, whole = await on_sqlite.get(Boat, 1), await on_sqlite.get(Boat, 1, "with_owner")
    with statements_of(on_sqlite.store.store) as sent:
        assert repr(await on_sqlite.get(Boat, 1)) == repr(row)
        assert repr(await on_sqlite.get(Boat, 1, "with_owner")) == repr(whole)
    assert sent == []
    assert row is not None
    assert whole is not None
    assert whole.owner == Owner(id=1, name="ann")
    assert row.owner is NOT_LOADED


async def test_after_a_commit_the_new_row_is_read(on_sqlite: Reads) -> None:
    await on_sqlite.get(Boat, 1)
    async with on_sqlite.writing(Boat) as boats:
        await boats.update(1, {"name": "heron"})
    found = await on_sqlite.get(Boat, 1)
    assert found is not None
    assert found.name == "heron"
    assert await on_sqlite.hit(Boat, 1)


async def test_a_row_that_is_not_there_is_asked_for_again(on_sqlite: Reads) -> None:
    assert await on_sqlite.get(Boat, 3) is None
    async with on_sqlite.writing(Boat) as boats:
        await boats.create({"name": "new"})
    assert await on_sqlite.get(Boat, 3) is not None


async def test_units_that_write_read_the_row_itself(reads: Reads) -> None:
    await reads.get(Boat, 1)
    async with reads.writing(Boat) as boats:
        before = reads.cache.hits
        assert await boats.get(1) is not None
        assert reads.cache.hits == before


async def test_until_the_commit_everybody_else_is_given_the_old_row(reads: Reads) -> None:
    await reads.get(Boat, 1)
    async with reads.writing(Boat) as boats:
        await boats.update(1, {"name": "heron"})
        found = await reads.get(Boat, 1)
        assert found is not None
        assert found.name == "kite"
        assert reads.cache.forgotten == []
    assert reads.cache.forgotten == ["cached_boats"]


async def test_a_rollback_forgets_nothing(reads: Reads) -> None:
    await reads.get(Boat, 1)
    async with reads.store.begin() as unit:
        await unit.repository(Boat).update(1, {"name": "heron"})
        await unit.repository(Owner).delete(1)
    assert reads.cache.forgotten == []
    assert await reads.hit(Boat, 1)


async def test_a_profile_depends_on_everything_that_it_loads(reads: Reads) -> None:
    for profile in ("", "with_owner", "with_trips"):
        await reads.get(Boat, 1, profile)
    async with reads.writing(Owner) as owners:
        await owners.update(1, {"name": "ada"})
    assert await reads.hit(Boat, 1)
    assert await reads.hit(Boat, 1, "with_trips")
    changed = await reads.get(Boat, 1, "with_owner")
    assert changed is not None
    assert changed.owner is not None
    assert changed.owner.name == "ada"
    async with reads.writing(Trip) as trips:
        await trips.create_all([{"boat_id": 1}, {"boat_id": 1}])
    counted = await reads.get(Boat, 1, "with_trips")
    assert counted is not None
    assert counted.trips_count == 3
    assert await reads.hit(Boat, 1, "with_owner")


async def test_what_a_deletion_takes_with_it_is_forgotten(reads: Reads) -> None:
    """Boats of the owner go, the trips of the boats go with them, and trips lose their crew."""
    for model in (Owner, Boat, Trip):
        await reads.get(model, 1)
    async with reads.writing(Owner) as owners:
        await owners.delete(2)
    assert reads.cache.forgotten == ["cached_boats", "cached_owners", "cached_trips"]
    trip = await reads.get(Trip, 1)
    assert trip is not None
    assert trip.crew_id is None
    async with reads.writing(Owner) as owners:
        await owners.delete(1)
    assert [await reads.get(model, 1) for model in (Owner, Boat, Trip)] == [None, None, None]


async def test_a_write_that_finds_no_row_forgets_nothing(reads: Reads) -> None:
    async with reads.writing(Boat) as boats:
        assert await boats.update(9, {"name": "x"}) is None
        assert await boats.delete(9) is False
    assert reads.cache.forgotten == []


async def test_models_that_nothing_cached_depends_on_cost_nothing(reads: Reads) -> None:
    async with reads.store.begin() as unit:
        inner = getattr(unit, "store_unit")  # noqa: B009 - the protocol of units does not have it
        assert type(unit.repository(Log)) is type(inner.repository(Log))
        await unit.repository(Log).create({"text": "x"})
        await unit.commit()
    assert reads.cache.forgotten == []
    assert not await reads.hit(Log, 1)
    assert not await reads.hit(Log, 1)


async def test_a_slow_reader_does_not_bring_back_the_old_row(on_sqlite: Reads) -> None:
    """It has read the row; before it keeps it, somebody commits a change and forgets the row."""

    async def overtake() -> None:
        async with on_sqlite.writing(Boat) as boats:
            await boats.update(1, {"name": "heron"})

    on_sqlite.store.after_get = overtake
    old = await on_sqlite.get(Boat, 1)
    assert old is not None
    assert old.name == "kite", "it read before the change"
    new = await on_sqlite.get(Boat, 1)
    assert new is not None
    assert new.name == "heron"


async def test_a_commit_that_is_refused_forgets_nothing_and_one_without_an_answer_does(reads: Reads) -> None:
    """The first did not happen; the second may have happened."""
    memory = reads.store.store
    assert isinstance(memory, MemoryPersistence)
    await reads.get(Boat, 1)
    memory.faults.inject("commit", Conflict("no"))
    with pytest.raises(Conflict):
        async with reads.writing(Boat) as boats:
            await boats.update(1, {"name": "one"})
    assert await reads.hit(Boat, 1)
    memory.faults.inject("committed", Unavailable("gone"))
    with pytest.raises(Unavailable):
        async with reads.writing(Boat) as boats:
            await boats.update(1, {"name": "two"})
    found = await reads.get(Boat, 1)
    assert found is not None
    assert found.name == "two"


async def test_a_request_that_is_given_up_after_its_commit_still_forgets(reads: Reads) -> None:
    """The cancellation comes while the cache is asked; what was committed is forgotten nevertheless."""
    await reads.get(Boat, 1)
    forget, began = reads.cache.invalidate, asyncio.Event()

    async def slow(tags: list[str]) -> None:
        began.set()
        reads.cache.invalidate = forget  # type: ignore[method-assign]  # only the first one is slow
        await asyncio.Event().wait()

    async def change() -> None:
        async with reads.writing(Boat) as boats:
            await boats.update(1, {"name": "heron"})

    reads.cache.invalidate = slow  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(change())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.gather(*reads.store._forgetting)
    found = await reads.get(Boat, 1)
    assert found is not None
    assert found.name == "heron"


async def test_after_the_unit_nothing_is_read(reads: Reads) -> None:
    await reads.get(Boat, 1)
    async with reads.store.begin(read_only=True) as unit:
        boats = unit.repository(Boat)
    with pytest.raises(ScopeClosed):
        await boats.get(1)


async def test_a_kept_row_that_cannot_be_read_is_read_from_the_store(reads: Reads) -> None:
    inner = reads.cache.inner
    assert isinstance(inner, MemoryCache)
    before = await reads.get(Boat, 1)
    for name in list(inner._kept):
        lookup = await inner.get(name, ("cached_boats",))
        await inner.put(name, b'{"id": "one"}', stamp=lookup.stamp, seconds=60)
    assert repr(await reads.get(Boat, 1)) == repr(before)


@pytest.mark.redis
async def test_without_redis_everything_is_read_from_the_store(own_redis: RedisServer) -> None:
    """Killed in the middle, changed meanwhile, back again: no error, and never an old row."""
    clock = FakeClock()
    cache = WatchedCache(provide_redis(RedisSettings(url=own_redis.url), codec=CODEC, clock=clock))
    store = SlowReads(MemoryPersistence(codec=CODEC, clock=clock), cache, CODEC)
    await store.start(MODELS)
    reads = Reads(store, cache)
    await filled(reads)
    await reads.get(Boat, 1)
    assert await reads.hit(Boat, 1)
    own_redis.kill()
    assert not await reads.hit(Boat, 1)
    async with reads.writing(Boat) as boats:
        await boats.update(1, {"name": "heron"})
    own_redis.start()
    for _ in range(2):
        found = await reads.get(Boat, 1)
        assert found is not None
        assert found.name == "heron"
        clock.advance(5)
    assert await reads.hit(Boat, 1)
    await store.stop()


async def test_what_one_caller_does_not_see_is_not_cached_for_another(on_sqlite: Reads) -> None:
    """Nor the other way round: a profile that was loaded for nobody in particular is not given to somebody."""
    filters = RowFilters({Owner: col("name") == "bob"})
    for seen, owner in ((None, "ann"), (filters, None), (None, "ann"), (filters, None)):
        async with on_sqlite.store.begin(read_only=True) as unit:
            boat = await unit.repository(Boat, seen).get(1, profile="with_owner")
        assert boat is not None
        assert (boat.owner and boat.owner.name) == owner
    hits = on_sqlite.cache.hits
    async with on_sqlite.store.begin(read_only=True) as unit:
        assert await unit.repository(Boat, filters).get(1) is not None
        assert await unit.repository(Boat, filters).get(1) is not None
    # The row itself is the same for everybody.
    assert on_sqlite.cache.hits > hits
