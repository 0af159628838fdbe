"""What an API has acknowledged is kept, row and event together, whatever is killed under load."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Set
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.sqlalchemy.system_tables import OutboxRow
from loom.domain.query import Query
from loom.testing.clock import FakeClock
from tests.integration.order_load import OrderLoad, Refusal
from tests.integration.served_orders import Order, Shop
from tests.servers.postgres import PostgresServer

PATIENCE = 60.0


@pytest.fixture
def started() -> Iterator[Callable[[Shop], Shop]]:
    """Starts shops, and ends them with the test."""
    made: list[Shop] = []

    def start(shop: Shop) -> Shop:
        made.append(shop)
        shop.start()
        return shop

    yield start
    for shop in made:
        shop.process.stop()


@pytest.fixture(
    params=["sqlite and memory", pytest.param("postgres and kafka", marks=[pytest.mark.postgres, pytest.mark.kafka])]
)
def shop(request: pytest.FixtureRequest, tmp_path: Path, started: Callable[[Shop], Shop]) -> Shop:
    if request.param == "sqlite and memory":
        return started(Shop.over(sqlite_url(tmp_path), tmp_path))
    brokers = request.getfixturevalue("kafka_brokers")
    url = request.getfixturevalue("fresh_postgres_url")
    return started(Shop.over(url, tmp_path, brokers=brokers))


async def test_a_killed_api_leaves_every_acknowledged_row_with_its_event(shop: Shop) -> None:
    """Twice killed with -9 under load. No row without its event, no event without its row, and all are relayed."""
    with OrderLoad(shop.port) as load:
        load.wait_for_more(150)
        shop.process.kill()
        shop.start()
        load.wait_for_more(150)
        shop.process.kill()
    assert load.refused == []
    assert load.cut
    rows = await balanced(shop, load.acknowledged)
    shop.start()
    await relayed(shop, len(rows))
    shop.process.stop()
    if shop.brokers:
        assert read_topic(shop.brokers, shop.topic) == rows


@pytest.mark.postgres
@pytest.mark.parametrize("way", ["kill", "stop"])
async def test_a_database_that_restarts_under_load_is_a_503_for_as_long_as_it_takes(
    way: str, own_postgres: PostgresServer, tmp_path: Path, started: Callable[[Shop], Shop]
) -> None:
    """The API finds its way back by itself, and what it had acknowledged is there."""
    shop = started(Shop.over(own_postgres.url, tmp_path, options=", pool_size: 3, connect_timeout: 2"))
    with OrderLoad(shop.port) as load:
        load.wait_for_more(100)
        getattr(own_postgres, way)()
        load.wait_for(lambda: len(load.refused) >= 20, "20 refusals while the database is away")
        own_postgres.start()
        load.wait_for_more(100)
    assert load.cut == 0
    check_unavailable(load.refused)
    rows = await balanced(shop, load.acknowledged)
    await relayed(shop, len(rows))


async def test_a_full_disk_is_a_503_until_there_is_room_again(tmp_path: Path, started: Callable[[Shop], Shop]) -> None:
    """Nothing is half written, what is there can still be read, and nothing has to be restarted."""
    shop = started(Shop.over(sqlite_url(tmp_path), tmp_path))
    with OrderLoad(shop.port, text="x" * 2000) as load:
        load.wait_for_more(20)
        shop.limit_files(largest(tmp_path) + 100_000)
        load.wait_for(lambda: len(load.refused) >= 20, "20 refusals while the disk is full")
        assert load.acknowledged <= await stored(shop)
        shop.limit_files(2**30)
        load.wait_for_more(20)
    assert load.cut == 0
    check_unavailable(load.refused)
    rows = await balanced(shop, load.acknowledged)
    await relayed(shop, len(rows))


def sqlite_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'store.db'}"


def largest(folder: Path) -> int:
    """The size of the largest file of the store."""
    return max(file.stat().st_size for file in folder.glob("store.db*"))


def check_unavailable(refused: list[Refusal]) -> None:
    """All of them are problem documents that say to come again, and none tells where the database is."""
    assert {refusal.status for refusal in refused} == {503}, refused[0]
    for refusal in refused:
        assert refusal.headers["content-type"] == "application/problem+json"
        assert int(refusal.headers["retry-after"]) > 0
        problem = json.loads(refusal.body)
        assert (problem["status"], problem["code"]) == (503, "LOOM-UNAVAILABLE")
        assert "store.db" not in problem["detail"]
        assert "postgres" not in problem["detail"]


async def balanced(shop: Shop, acknowledged: Set[str]) -> set[str]:
    """The orders that are stored: all that were acknowledged, each with exactly one event in the outbox."""
    async with looked_into(shop) as store, store.begin(read_only=True) as unit:
        rows = {str(order.id) async for order in unit.repository(Order).stream(Query(limit=None))}
        events = [row async for row in unit.repository(OutboxRow).stream(Query(limit=None))]
    told = sorted(json.loads(event.payload)["id"] for event in events)
    assert acknowledged <= rows
    assert told == sorted(rows)
    return rows


async def stored(shop: Shop) -> set[str]:
    async with looked_into(shop) as store, store.begin(read_only=True) as unit:
        return {str(order.id) async for order in unit.repository(Order).stream(Query(limit=None))}


async def relayed(shop: Shop, count: int) -> None:
    """Wait until every event has left the outbox of a running shop."""
    async with looked_into(shop) as store, asyncio.timeout(PATIENCE):
        while (await store.relay_store().counts())["pending"]:  # noqa: ASYNC110 - the relay is another process
            await asyncio.sleep(0.1)
        assert await store.relay_store().counts() == {"pending": 0, "sent": count}


@asynccontextmanager
async def looked_into(shop: Shop) -> AsyncIterator[SqlPersistence]:
    store = provide(SqlalchemySettings(url=shop.url, create_tables=False), codec=JsonCodec(), clock=FakeClock())
    await store.start([Order])
    try:
        yield store
    finally:
        await store.stop()


def read_topic(brokers: str, topic: str) -> set[str]:
    """The orders of all events in a topic, those that came twice once."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": brokers, "group.id": uuid.uuid4().hex, "enable.auto.commit": False})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
        consumer.assign([TopicPartition(topic, 0, 0)])
        found: list[str] = []
        while len(found) < end:
            found += [json.loads(message.value() or b"")["id"] for message in consumer.consume(500, timeout=5)]
        return set(found)
    finally:
        consumer.close()
