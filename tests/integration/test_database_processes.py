"""Several stores over one database, as several processes have them; and streams that are longer than memory."""

import asyncio
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.errors import Conflict
from loom.domain.events import OutboxRecord
from loom.domain.model import entity, field, key
from loom.domain.query import Query
from loom.testing.clock import START, FakeClock
from loom.testing.contracts.persistence_outbox import LEASE, record, store

PROCESSES = 4
ROWS, LETTERS = 20_000, 1_000


@entity(table="counters")
class Counter:
    id: int = key(autoincrement=True)
    name: str = field(unique=True)
    value: int = 0


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    found: str = request.getfixturevalue("fresh_postgres_url")
    return found


@pytest_asyncio.fixture
async def stores(url: str) -> AsyncIterator[list[SqlPersistence]]:
    """Started all at once, so that they race for the creation of the tables."""
    made = [provide(SqlalchemySettings(url=url), codec=JsonCodec(), clock=FakeClock()) for _ in range(PROCESSES)]
    await asyncio.gather(*(each.start([Counter]) for each in made))
    yield made
    for each in made:
        await each.stop()


async def test_no_update_is_lost_between_processes(stores: list[SqlPersistence]) -> None:
    async with stores[0].begin() as unit:
        counter = await unit.repository(Counter).create({"name": "c"})
        await unit.commit()

    async def add(persistence: SqlPersistence) -> int:
        kept = 0
        while kept < 5:
            try:
                async with persistence.begin() as unit:
                    counters = unit.repository(Counter)
                    found = await counters.get(counter.id)
                    assert found is not None
                    await counters.update(counter.id, {"value": found.value + 1})
                    await unit.commit()
            except Conflict:
                continue
            kept += 1
        return kept

    kept = await asyncio.gather(*(add(each) for each in stores))
    async with stores[0].begin(read_only=True) as unit:
        found = await unit.repository(Counter).get(counter.id)
    assert found is not None
    assert found.value == sum(kept) == 5 * PROCESSES


async def test_relays_of_several_processes_send_each_record_once_and_keys_in_order(
    stores: list[SqlPersistence],
) -> None:
    await store(stores[0], [record(str(number % 5)) for number in range(200)])
    left: list[OutboxRecord] = []

    async def relay(persistence: SqlPersistence) -> None:
        mine = persistence.relay_store()
        while (await mine.counts())["pending"]:
            claimed = await mine.claim(7, now=START, lease=LEASE)
            left.extend(claimed)
            await mine.sent([each.id for each in claimed], now=START)

    await asyncio.gather(*(relay(each) for each in stores))
    assert len(left) == len({each.id for each in left}) == 200
    for key_ in {each.key for each in left}:
        positions = [each.position for each in left if each.key == key_]
        assert positions == sorted(positions)


async def test_one_of_several_processes_handles_a_message(stores: list[SqlPersistence]) -> None:
    message = uuid.uuid4()

    async def handle(persistence: SqlPersistence) -> bool:
        try:
            async with persistence.begin() as unit:
                claimed = await unit.inbox.claim("billing", message)
                await asyncio.sleep(0)
                await unit.commit()
        except Conflict:
            return False
        return claimed

    assert sum(await asyncio.gather(*(handle(each) for each in stores))) == 1


@pytest.mark.parametrize("read_only", [True, False])
async def test_a_stream_is_read_in_constant_memory(stores: list[SqlPersistence], read_only: bool) -> None:
    """Twenty million letters, of which never more than a fraction is held."""
    async with stores[0].begin() as unit:
        rows = ({"name": f"{number:0{LETTERS}}"} for number in range(ROWS))
        await unit.repository(Counter).create_many(list(rows))
        await unit.commit()
    count = 0
    async with stores[0].begin(read_only=read_only) as unit:
        tracemalloc.start()
        async for each in unit.repository(Counter).stream(Query(limit=None)):
            count += len(each.name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == ROWS * LETTERS
    assert peak < count / 4
