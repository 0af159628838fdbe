"""The store example over every store: what it promises, and what it refuses."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from examples.store.products import Product
from examples.store.shelves import FillShelves
from loom.core import Kernel
from loom.ports.persistence import Persistence
from loom.testing import HttpAnswer, HttpTestHarness, MemoryStore
from tests.servers.process import Process

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "examples" / "store" / "config"
STORES = ["memory", "sqlite"]
ON_EVERY_STORE = pytest.mark.parametrize(
    "kernel", [*STORES, pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""For the tests that a database could answer otherwise; making one takes up to two seconds."""


@pytest.fixture(params=STORES)
def kernel(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """The example as its files say, over one store of each kind."""
    files = [CONFIG / "embedded.yaml"]
    monkeypatch.setenv("STORE_DATABASE", f"sqlite+aiosqlite:///{tmp_path}/store.db")
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("fresh_postgres_url"))
        files.append(CONFIG / "postgres.yaml")
    made = Kernel.from_yaml(*files)
    if request.param == "memory":
        made.bind(Persistence, MemoryStore())
    return made


@pytest.fixture
async def shop(kernel: Kernel) -> AsyncIterator[HttpTestHarness]:
    """The API over filled shelves: green tea (40), black tea (12), mugs (3); Ann is user 1, Bob user 2."""
    async with HttpTestHarness(kernel) as http:
        assert await kernel.invoke(FillShelves)
        yield http


def order(*lines: tuple[int, int], address: int = 1) -> dict[str, Any]:
    return {"address_id": address, "lines": [{"product_id": product, "quantity": pieces} for product, pieces in lines]}


async def place(shop: HttpTestHarness, *lines: tuple[int, int], bearer: str = "ann", address: int = 1) -> HttpAnswer:
    return await shop.post("/orders", json=order(*lines, address=address), bearer=bearer)


async def stocks(shop: HttpTestHarness) -> list[int]:
    return [item["stock"] for item in (await shop.get("/products")).expect(200).json["items"]]


@ON_EVERY_STORE
async def test_an_order_takes_its_pieces_and_is_confirmed(shop: HttpTestHarness) -> None:
    placed = (await place(shop, (1, 2), (3, 1))).expect(201)
    assert placed.location == f"/orders/{placed.json['id']}"
    assert await stocks(shop) == [38, 12, 2]
    await shop.drain()
    told = (await shop.get(placed.location, query={"profile": "with_lines"}, bearer="ann")).expect(200).json
    assert [(line["product_id"], line["quantity"], line["price"]) for line in told["lines"]] == [
        (1, 2, "4.90"),
        (3, 1, "14.50"),
    ]
    assert told["total"] == "24.30"
    assert told["confirmation"]["text"] == f"Ann, your order {told['id']} of 2 lines costs 24.30"
    assert await shop.kernel.topics.counts(["store.orders"]) == {"store.orders": 1}


async def test_an_order_that_cannot_be_served_changes_nothing(shop: HttpTestHarness) -> None:
    """Every line that is wrong is told, and neither row, stock, event nor job of the good ones is kept."""
    await shop.post("/products/2/discontinue", bearer="clerk")
    refused = await place(shop, (1, 1), (2, 1), (3, 4), (9, 1))
    errors = {
        "body/lines/1/product_id": "is not sold any more",
        "body/lines/2/quantity": "is more than the 3 that are left",
        "body/lines/3/product_id": "is no product",
    }
    refused.expect_problem(422, code="LOOM-RULE", errors=errors)
    await shop.drain()
    assert await stocks(shop) == [40, 12, 3]
    assert (await shop.get("/orders", bearer="ann")).json["items"] == []
    assert await shop.kernel.topics.counts(["store.orders"]) == {"store.orders": 0}


@pytest.mark.parametrize(
    ("lines", "errors"),
    [
        ([], {"body/lines": "has between 1 and 50 lines"}),
        ([(1, 0), (2, 1001)], {f"body/lines/{at}/quantity": "is between 1 and 1000" for at in (0, 1)}),
        ([(1, 1), (2, 1), (1, 2)], {"body/lines/2/product_id": "is in the order already"}),
    ],
    ids=["no line", "quantities", "named twice"],
)
async def test_the_rules_of_an_order(
    shop: HttpTestHarness, lines: list[tuple[int, int]], errors: dict[str, str]
) -> None:
    (await place(shop, *lines)).expect_problem(422, code="LOOM-RULE", errors=errors)


@ON_EVERY_STORE
async def test_a_cancelled_order_gives_its_pieces_back_once(shop: HttpTestHarness) -> None:
    placed = (await place(shop, (3, 3))).expect(201)
    (await place(shop, (3, 1), bearer="bob", address=2)).expect_problem(422)
    assert (await shop.post(f"{placed.location}/cancel", bearer="ann")).expect(200).json["status"] == "cancelled"
    (await shop.post(f"{placed.location}/cancel", bearer="ann")).expect_problem(409, code="LOOM-CONFLICT")
    assert await stocks(shop) == [40, 12, 3]


async def test_orders_and_addresses_of_others_do_not_exist(shop: HttpTestHarness) -> None:
    placed = (await place(shop, (1, 1))).expect(201)
    (await shop.get(placed.location, bearer="bob")).expect_problem(404)
    (await shop.post(f"{placed.location}/cancel", bearer="bob")).expect_problem(404)
    assert (await shop.get("/orders", bearer="bob")).json["items"] == []
    (await place(shop, (1, 1), bearer="bob", address=1)).expect_problem(404)
    (await shop.get("/users/1/addresses/1", bearer="bob")).expect_problem(404)
    assert (await shop.get("/users/1/addresses", bearer="bob")).json["items"] == []
    home = {"street": "2 Low St", "city": "York", "country": "GB"}
    (await shop.post("/users/1/addresses", json=home, bearer="bob")).expect_problem(403)


async def test_who_may_do_what(shop: HttpTestHarness) -> None:
    (await shop.get("/products")).expect(200)
    (await shop.post("/products/1/restock", json={"pieces": 1})).expect_problem(401)
    (await shop.post("/products/1/restock", json={"pieces": 1}, bearer="ann")).expect_problem(403)
    (await shop.get("/users", bearer="ann")).expect_problem(403)
    (await place(shop, (1, 1), bearer="clerk")).expect_problem(403)
    (await place(shop, (1, 1), bearer="nobody")).expect_problem(401)


async def test_an_address_is_nested_and_stays_for_its_orders(shop: HttpTestHarness) -> None:
    home = {"street": "2 Low St", "city": "York", "country": "GB"}
    made = (await shop.post("/users/1/addresses", json=home, bearer="ann")).expect(201)
    assert made.location == f"/users/1/addresses/{made.json['id']}"
    assert (await shop.get(made.location, bearer="ann")).expect(200).json["city"] == "York"
    (await place(shop, (1, 1), address=made.json["id"])).expect(201)
    (await shop.delete(made.location, bearer="ann")).expect(204)
    (await shop.get(made.location, bearer="ann")).expect_problem(404)
    (await place(shop, (1, 1), address=made.json["id"])).expect_problem(404)
    wrong = await shop.post("/users/1/addresses", json={**home, "country": "G"}, bearer="ann")
    wrong.expect_problem(422, code="LOOM-CHECK")
    (await shop.post("/users/9/addresses", json=home, bearer="ann")).expect_problem(404)


async def test_pieces_come_in(shop: HttpTestHarness) -> None:
    answer = await shop.post("/products/3/restock", json={"pieces": 7}, bearer="clerk")
    assert answer.expect(200).read(Product).stock == 10
    for pieces, told in ((0, "is between 1 and 1000000"), (1_000_000, "is more than the shelf holds")):
        refused = await shop.post("/products/3/restock", json={"pieces": pieces}, bearer="clerk")
        refused.expect_problem(422, errors={"body/pieces": told})
    (await shop.post("/products/9/restock", json={"pieces": 1}, bearer="clerk")).expect_problem(404)


async def test_a_product_is_changed_by_whoever_saw_its_version(shop: HttpTestHarness) -> None:
    seen = (await shop.get("/products/3")).expect(200).etag
    changed = await shop.patch("/products/3", json={"price": "15.00"}, bearer="clerk", if_match=seen)
    assert changed.expect(200).etag != seen
    (await shop.patch("/products/3", json={"price": "1.00"}, bearer="clerk", if_match=seen)).expect_problem(412)
    assert (await shop.get("/products/3")).json["price"] == "15.00"


@ON_EVERY_STORE
async def test_a_product_is_unique_whole_and_kept_while_it_is_in_orders(shop: HttpTestHarness) -> None:
    taken = {"sku": "mug", "name": "Mug", "price": "1.00"}
    (await shop.post("/products", json=taken, bearer="clerk")).expect_problem(409)
    (await shop.post("/products", json={**taken, "sku": "cup", "price": "0"}, bearer="clerk")).expect_problem(422)
    (await place(shop, (3, 1))).expect(201)
    (await shop.delete("/products/3", bearer="clerk")).expect_problem(409)
    (await shop.delete("/products/2", bearer="clerk")).expect(204)


async def test_products_are_filtered_sorted_paged_and_exported(shop: HttpTestHarness) -> None:
    cheap = (await shop.get("/products", query={"price.lt": "5", "sort": "-price"})).json
    assert ([item["sku"] for item in cheap["items"]], cheap["total"]) == (["tea-green", "tea-black"], 2)
    second = (await shop.get("/products", query={"limit": 1, "offset": 1, "sort": "name"})).json
    assert [item["name"] for item in second["items"]] == ["Green tea"]
    (await shop.get("/products", query={"version": 1})).expect_problem(422)
    lines = (await shop.get("/products/export", query={"sort": "name"}, bearer="clerk")).expect(200).body.splitlines()
    assert len(lines) == 3


async def test_columns_are_chosen_and_many_products_come_at_once(shop: HttpTestHarness) -> None:
    assert (await shop.get("/products/1", query={"fields": "sku,stock"})).json == {
        "id": 1,
        "sku": "tea-green",
        "stock": 40,
    }
    new = [{"sku": sku, "name": sku, "price": "1.00"} for sku in ("cup", "pot")]
    assert len((await shop.post("/products/bulk", json=new, bearer="clerk")).expect(201).json) == 2
    taken = [{**new[0], "sku": "tin"}, new[1]]
    (await shop.post("/products/bulk", json=taken, bearer="clerk")).expect_problem(409)
    assert (await shop.get("/products", query={"sku": "tin"})).json["items"] == []


async def test_orders_are_found_by_where_they_went(shop: HttpTestHarness) -> None:
    (await place(shop, (1, 1))).expect(201)
    for city, found in (("Leeds", 1), ("York", 0)):
        assert len((await shop.get("/orders", query={"address.city": city}, bearer="ann")).json["items"]) == found


async def test_an_order_that_is_sent_again_is_one_order(shop: HttpTestHarness) -> None:
    answers = [
        await shop.post("/orders", json=order((1, 1)), bearer="ann", idempotency_key="order-of-monday")
        for _ in range(2)
    ]
    assert answers[0].expect(201).json == answers[1].expect(201).json
    assert await stocks(shop) == [39, 12, 3]


@ON_EVERY_STORE
async def test_no_piece_is_sold_twice(shop: HttpTestHarness) -> None:
    """Ten orders for three mugs at the same time: three are served, the others say why not, and none is lost."""
    answers = await asyncio.gather(*(place(shop, (3, 1)) for _ in range(10)))
    served = [answer for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} <= {201, 409, 422}
    assert (await stocks(shop))[2] == 3 - len(served) >= 0
    assert served
    await shop.drain()
    assert await shop.kernel.topics.counts(["store.orders"]) == {"store.orders": len(served)}


async def test_the_lines_that_are_printed_work(tmp_path: Path) -> None:
    """``python -m examples.store`` prints requests; each of them succeeds, also at the second time."""
    log = tmp_path / "store.log"
    env = {**os.environ, "STORE_PORT": "0", "PYTHONPATH": str(ROOT), "STORE_DATABASE": f"sqlite:///{tmp_path}/s.db"}
    server = Process("store", [sys.executable, "-m", "examples.store"], log, env=env)
    server.start(ready=lambda: "restock" in log.read_text(), timeout=30)
    try:
        told = (
            log.read_text().partition("Try:\n")[2].replace("\\\n", " ").replace("curl", "curl --fail --silent -w '\\n'")
        )
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-ec", told * 2], check=False, capture_output=True, text=True, timeout=30
        )
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 10
    assert "Ann, your order 1" in done.stdout
