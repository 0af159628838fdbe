"""Many writers on SQLite: they queue in this process, in order and without a lock, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.core import UseCase
from loom.rest import RestInterface, RestRoute
from tests.contract.http_api import Api, make_store, serve
from tests.contract.statement_count import statements_of
from tests.unit.rest.rest_shop import Product, compiled

WRITERS = 40


class Paused(UseCase[Product, Product]):
    """Write a row, and go on when a test says so."""

    written: asyncio.Event
    released: asyncio.Event

    async def execute(self) -> Product:
        made = await self.main_repo.create({"sku": "slow", "name": "Slow", "price": 1})
        self.written.set()
        await self.released.wait()
        return made


class Products(RestInterface[Product]):
    prefix = "/products"
    auto = True
    routes = (RestRoute(use_case=Paused, method="POST", path="/paused"),)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The API over a file in which whoever met SQLite's own lock would fail at once, rather than wait."""
    store = make_store("sqlite", tmp_path)
    assert isinstance(store, SqlPersistence)
    for engine in store._database.engines:
        event.listen(engine, "connect", _never_wait)
    async with serve(store, plans=compiled([Products])) as served:
        Paused.written, Paused.released = asyncio.Event(), asyncio.Event()
        yield served


def _never_wait(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 0")
    cursor.close()


async def create(api: Api, number: int) -> int:
    sent = {"sku": f"S-{number}", "name": "Apple", "price": "1.20"}
    return (await api.client.post("/products", json=sent)).status_code


async def test_no_writer_meets_the_lock_of_another(api: Api) -> None:
    """Reads and writes at once: none fails, so none has met the lock."""
    writes = [asyncio.create_task(create(api, number)) for number in range(WRITERS)]
    reads = [asyncio.create_task(api.client.get("/products")) for _ in range(WRITERS)]
    assert set(await asyncio.gather(*writes)) == {201}
    assert {answer.status_code for answer in await asyncio.gather(*reads)} == {200}


async def test_one_transaction_ends_before_the_next_one_begins(api: Api) -> None:
    with statements_of(api.store) as sent:
        await asyncio.gather(*(create(api, number) for number in range(WRITERS)))
    assert [each.split()[0] for each in sent] == ["BEGIN", "INSERT", "COMMIT"] * WRITERS


async def test_while_one_writes_the_others_read_and_the_loop_is_free(api: Api) -> None:
    slow = asyncio.create_task(api.client.post("/products/paused"))
    await Paused.written.wait()
    waiting = [asyncio.create_task(create(api, number)) for number in range(WRITERS)]
    # Any number of answers are given while the lock is held, and none of them sees what is not committed.
    for _ in range(WRITERS):
        assert (await api.client.get("/products")).json()["items"] == []
    assert not any(task.done() for task in waiting)
    Paused.released.set()
    assert (await slow).status_code == 200
    assert set(await asyncio.gather(*waiting)) == {201}
    items = (await api.client.get("/products?limit=200")).json()["items"]
    # Whoever came first is first.
    assert [row["sku"] for row in items] == ["slow", *(f"S-{number}" for number in range(WRITERS))]


async def test_a_writer_that_gives_up_leaves_the_queue(api: Api) -> None:
    slow = asyncio.create_task(api.client.post("/products/paused"))
    await Paused.written.wait()
    gone, stays = (asyncio.create_task(create(api, number)) for number in range(2))
    await api.client.get("/products")
    gone.cancel()
    await asyncio.wait([gone])
    Paused.released.set()
    assert ((await slow).status_code, await stays) == (200, 201)
    assert len((await api.client.get("/products")).json()["items"]) == 2
