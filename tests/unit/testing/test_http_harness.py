"""``HttpTestHarness``, and over it what HTTP makes of headers, typed parameters, ``Query()`` and ``Created``."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from loom.config.kernel import Kernel
from loom.core import LoomError, MissingExtra, Unavailable
from loom.domain.installation import how_to_add
from loom.ports.clock import Clock
from loom.ports.persistence import Persistence
from loom.rest import mount
from loom.testing import FakeClock, HttpTestHarness, MemoryStore
from tests.unit.testing import testing_shop
from tests.unit.testing.testing_shop import TEA, Mailer, NewProduct, Product, Restock

BATCH = "7d9f3c1e-2b64-4d0e-9a55-1f2e3d4c5b6a"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def http(store: MemoryStore) -> AsyncIterator[HttpTestHarness]:
    await store.put(TEA)
    fakes: dict[type, object] = {Persistence: store, Clock: FakeClock(), Mailer: Mailer()}
    async with HttpTestHarness(Kernel.from_yaml(modules=[testing_shop]), overrides=fakes) as harness:
        yield harness


async def test_a_created_row_is_answered_201_with_its_location(http: HttpTestHarness) -> None:
    created = (await http.post("/products", json=NewProduct(sku="milk", name="Milk"))).expect(201)
    assert created.location == "/products/2"
    assert created.read(Product) == (await http.get(created.location)).expect(200).read(Product)


async def test_a_location_of_its_own_is_encoded(http: HttpTestHarness) -> None:
    answer = (await http.post("/products/elsewhere")).expect(201)
    assert (answer.json, answer.location) == ("made", "https://example.org/gr%C3%B6%C3%9Fe?of=tea")


async def test_overrides_serve_the_request_and_rows_are_stored(http: HttpTestHarness, store: MemoryStore) -> None:
    (await http.post("/products/1/restock", json=Restock(pieces=3))).expect(202)
    assert [product.stock for product in await store.rows(Product)] == [5]
    assert http.kernel.resolve(Mailer).sent == ["restocked tea at 2013-01-01"]
    await http.drain()
    assert store.waiting() == []


async def test_parameters_of_every_kind_are_read_by_their_types(http: HttpTestHarness) -> None:
    answer = await http.get(
        "/service/echo/2026-02-03",
        headers={"x-client": "till", "X-Sizes": "1, 2", "X-Batch": BATCH},
        query={"colour": "blue", "labels": ["a", "b"], "limit": 7, "exact": True},
    )
    assert answer.expect(200).json == [
        "2026-02-03", "till", "[1, 2]", BATCH, "blue", "2026-01-01", "['a', 'b']", "7", "True",
    ]  # fmt: skip
    least = await http.get("/service/echo/2026-02-03", headers={"X-Client": "till"})
    assert least.expect(200).json[2:] == ["None", "None", "red", "2026-01-01", "None", "3", "False"]


async def test_all_faults_of_path_query_and_headers_are_told_together(http: HttpTestHarness) -> None:
    answer = await http.get(
        "/service/echo/soon", headers={"X-Sizes": "1,two", "X-Batch": "7"}, query={"colour": "green", "limit": "x"}
    )
    answer.expect_problem(
        422,
        code="LOOM-INPUT",
        errors={
            "path/day": "must be a date such as 2013-01-05",
            "query/colour": "must be one of 'red', 'blue'",
            "query/limit": "must be a whole number",
            "header/X-Client": "is required",
            "header/X-Sizes": "must be a whole number",
            "header/X-Batch": "must be a UUID such as 12345678-1234-5678-1234-567812345678",
        },
    )


async def test_the_document_describes_headers_defaults_and_locations(http: HttpTestHarness) -> None:
    paths = (await http.get("/openapi.json")).expect(200).json["paths"]
    parameters = {each["name"]: each for each in paths["/service/echo/{day}"]["get"]["parameters"]}
    assert parameters["X-Client"] == {
        "name": "X-Client", "in": "header", "required": True, "schema": parameters["X-Client"]["schema"],
    }  # fmt: skip
    assert (parameters["X-Sizes"]["required"], parameters["X-Sizes"]["schema"]["type"]) == (False, "array")
    assert {name: each["schema"].get("default") for name, each in parameters.items() if each["in"] == "query"} == {
        "colour": "red",
        "since": "2026-01-01",
        "labels": None,
        "limit": 3,
        "exact": False,
    }
    assert "Location" in paths["/products"]["post"]["responses"]["201"]["headers"]
    assert "404" not in paths["/products/all"]["get"]["responses"] or "cursor" in str(paths["/products/all"])


async def test_a_query_marker_takes_the_page_parameters(http: HttpTestHarness) -> None:
    page = (await http.get("/products/all", query={"limit": 1})).expect(200).json
    assert ([row["sku"] for row in page["items"]], page["next_cursor"]) == (["tea"], None)


async def test_an_unexpected_answer_shows_itself_and_the_servers_reason(http: HttpTestHarness) -> None:
    with pytest.raises(AssertionError, match=r"GET /products/9 -> 404 .*Product 9 does not exist.* was to be 200"):
        (await http.get("/products/9")).expect(200)
    with pytest.raises(AssertionError, match="GET /service/broken -> 500") as caught:
        (await http.get("/service/broken")).expect(200)
    assert str(caught.value.__cause__) == "a fault of the program"


async def test_a_problem_is_compared_whole(http: HttpTestHarness) -> None:
    broken = await http.post("/products/1/restock", json=Restock(pieces=0))
    broken.expect_problem(422, code="LOOM-RULE", errors={"body/pieces": "must be positive"})
    with pytest.raises(AssertionError, match="has the code LOOM-RULE, not LOOM-INPUT"):
        broken.expect_problem(422, code="LOOM-INPUT")
    with pytest.raises(AssertionError, match=r"wanted\n  nothing\nbut found\n  body/pieces: must be positive"):
        broken.expect_problem(422, errors={})
    with pytest.raises(AssertionError, match="is no problem document but application/json"):
        (await http.get("/products/1")).expect_problem(200)
    with pytest.raises(AssertionError, match="has no Location; it has"):
        _ = broken.location
    with pytest.raises(AssertionError, match="has no JSON body"):
        _ = (await http.delete("/products/1")).expect(204).json


async def test_a_store_that_fails_is_answered_503_and_keeps_nothing(http: HttpTestHarness, store: MemoryStore) -> None:
    store.faults.inject("create", Unavailable("the database is gone"))
    (await http.post("/products", json={"sku": "milk", "name": "Milk"})).expect_problem(503, code="LOOM-UNAVAILABLE")
    assert await store.rows(Product) == [TEA]


async def test_a_kernel_mounted_in_an_application_is_served_with_it(store: MemoryStore) -> None:
    app, kernel = FastAPI(), Kernel.from_yaml(modules=[testing_shop])
    app.add_api_route("/own", lambda: "mine")
    kernel.bind(Mailer, Mailer())
    with kernel.override(Persistence, store):
        mount(app, kernel)
        async with HttpTestHarness(kernel, app=app, headers={"X-Client": "till"}) as http:
            assert (await http.get("/own")).expect(200).json == "mine"
            (await http.get("/service/echo/2026-02-03")).expect(200)
            (await http.put("/own", content=b"x", if_match='"1"', idempotency_key="k", bearer="t")).expect(405)


async def test_the_servers_reason_is_known_also_where_the_log_is_silent() -> None:
    kernel = Kernel.from_yaml(overrides=["observability.log.format=silent"], modules=[testing_shop])
    async with HttpTestHarness(kernel, overrides={Mailer: Mailer()}) as http:
        assert isinstance((await http.get("/service/broken")).cause, RuntimeError)


async def test_a_harness_that_is_not_open_says_how_to_open_it() -> None:
    with pytest.raises(LoomError, match=r"the harness is not open\. write async with"):
        await HttpTestHarness(Kernel.from_yaml()).get("/")


async def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(MissingExtra, match=re.escape(how_to_add("testing"))):
        await HttpTestHarness(Kernel.from_yaml()).__aenter__()
