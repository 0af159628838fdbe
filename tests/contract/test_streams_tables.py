"""``IntoTable`` on both engines, over the memory store and SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.system.clock import SystemClock
from loom.application.streaming.bind import BoundFlow
from loom.core import entity, field, key
from loom.domain.errors import Conflict, EngineFailure
from loom.domain.query import Query
from loom.ports.persistence import Persistence
from loom.ports.streaming import StreamEngine
from loom.streaming import CollectBatch, IntoTable
from loom.testing.contracts.streaming import FOREVER, flow_of
from loom.testing.contracts.streaming_bench import Bench, FaultyTopics
from loom.testing.contracts.streaming_flows import First, Order


@entity(table="stored_orders")
class StoredOrder:
    """An order as a row."""

    id: int = key()
    amount: int
    note: str | None = field(default=None, max_length=20)


@entity(table="order_lines")
class OrderLine:
    """A row whose key the payload does not have."""

    line: int = key(autoincrement=True)
    id: int
    amount: int


@pytest.fixture(params=["inline", "bytewax"])
def engine(request: pytest.FixtureRequest) -> StreamEngine[BoundFlow]:
    if request.param == "inline":
        return InlineStreamEngine(InlineStreamingSettings(poll_seconds=0.02))
    pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")
    from loom.adapters.bytewax.engine import BytewaxStreamEngine
    from loom.adapters.bytewax.settings import BytewaxSettings

    return BytewaxStreamEngine(BytewaxSettings())


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Persistence]:
    codec, clock = JsonCodec(), SystemClock()
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    opened: Persistence = (
        MemoryPersistence(codec=codec, clock=clock)
        if request.param == "memory"
        else provide(SqlalchemySettings(url=url), codec=codec, clock=clock)
    )
    await opened.start([StoredOrder, OrderLine])
    yield opened
    await opened.stop()


@pytest.fixture
async def bench(engine: StreamEngine[BoundFlow], store: Persistence) -> Bench:
    topics = MemoryTopics(MemoryTopicsSettings(partitions=1), clock=SystemClock())
    return Bench(engine, FaultyTopics(topics), persistence=store)


async def rows(store: Persistence) -> dict[int, int]:
    async with store.begin(read_only=True) as unit:
        page = await unit.repository(StoredOrder).list(Query(limit=None))
    return {row.id: row.amount for row in page.items}


async def put(store: Persistence, *values: StoredOrder) -> None:
    async with store.begin() as unit:
        await unit.repository(StoredOrder).create_many(values)
        await unit.commit()


async def test_records_and_batches_become_rows(bench: Bench, store: Persistence) -> None:
    """The report counts them by table."""
    await bench.send("in", [Order(id=n, amount=n * 10) for n in range(5)])
    report = await bench.run(flow_of(bench, First, CollectBatch(3, FOREVER), IntoTable(StoredOrder)))
    assert await rows(store) == {n: n * 10 for n in range(5)}
    assert report.written == {"stored_orders": 5}


async def test_a_record_that_is_delivered_twice_is_one_row(bench: Bench, store: Persistence) -> None:
    """A crash between write and commit brings it again; the row that it left is known to be its own."""
    await put(store, StoredOrder(id=1, amount=10))
    await bench.send("in", [Order(id=n, amount=n * 10) for n in range(3)])
    report = await bench.run(flow_of(bench, IntoTable(StoredOrder)))
    assert await rows(store) == {0: 0, 1: 10, 2: 20}
    assert report.written == {"stored_orders": 3}


async def test_a_row_of_that_key_with_other_values_is_a_conflict(bench: Bench, store: Persistence) -> None:
    """That record alone goes to the error route."""
    await put(store, StoredOrder(id=1, amount=99))
    await bench.send("in", [Order(id=n, amount=n * 10) for n in range(3)])
    report = await bench.run(flow_of(bench, CollectBatch(3, FOREVER), IntoTable(StoredOrder), letters=True))
    assert await rows(store) == {0: 0, 1: 99, 2: 20}
    (letter,) = await bench.letters()
    assert (letter.key, letter.code, letter.step) == ("1", Conflict.code, "IntoTable(StoredOrder)")
    assert (report.written, report.dead_letters) == ({"stored_orders": 2}, 1)


async def test_without_a_route_a_conflict_stops_the_flow(bench: Bench, store: Persistence) -> None:
    """And its cause is the store's own error."""
    await put(store, StoredOrder(id=1, amount=99))
    await bench.send("in", [Order(id=1, amount=10)])
    with pytest.raises(EngineFailure, match=r"IntoTable\(StoredOrder\) of flow .* failed on .*\[0\]@0") as failure:
        await bench.run(flow_of(bench, IntoTable(StoredOrder)))
    assert isinstance(failure.value.__cause__, Conflict)


async def test_fields_that_the_entity_does_not_have_are_left_out(bench: Bench, store: Persistence) -> None:
    """And a key that the store makes is made by it."""
    await bench.send("in", [Order(id=7, amount=1, note="not stored"), Order(id=7, amount=2)])
    await bench.run(flow_of(bench, IntoTable(OrderLine)))
    async with store.begin(read_only=True) as unit:
        page = await unit.repository(OrderLine).list(Query())
    assert [(row.id, row.amount) for row in page.items] == [(7, 1), (7, 2)]


async def test_a_flow_without_a_store_says_what_it_needs(engine: StreamEngine[BoundFlow]) -> None:
    """Before anything is read."""
    bench = Bench(engine, FaultyTopics(MemoryTopics(MemoryTopicsSettings(), clock=SystemClock())))
    with pytest.raises(EngineFailure, match=r"IntoTable\(StoredOrder\) needs a store, and none is bound"):
        await bench.run(flow_of(bench, IntoTable(StoredOrder)))
