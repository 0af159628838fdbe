"""Rows whose key begins with their parent's: the prefix has named that part already, so the path of a row does not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest_asyncio

from loom.config.kernel import Kernel
from loom.core import entity, field, key
from loom.rest import RestInterface
from loom.testing import HttpTestHarness


@entity(table="nc_shelves")
class NcShelf:
    id: int = key(autoincrement=True)


@entity(table="nc_boxes", version=True)
class NcBox:
    shelf_id: int = key(references="nc_shelves.id")
    number: int = key()
    label: str = field(max_length=10)
    version: int = 1


class ShelfInterface(RestInterface[NcShelf]):
    prefix = "/shelves"
    auto = True


class BoxInterface(RestInterface[NcBox]):
    prefix = "/shelves/{shelf_id}/boxes"
    auto = True
    parent = "shelf_id"
    filters = ("label",)
    bulk = ("update", "delete")


class OtherNameInterface(RestInterface[NcBox]):
    """The parameter is not called like the key, so that the path of a row names both."""

    prefix = "/racks/{rack}/boxes"
    auto = True
    parent = {"rack": "shelf_id"}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[HttpTestHarness]:
    async with HttpTestHarness(Kernel.from_yaml(modules=[sys.modules[__name__]])) as harness:
        for _ in range(2):
            (await harness.post("/shelves", json={})).expect(201)
        yield harness


async def test_a_row_is_created_and_found_below_its_parent(http: HttpTestHarness) -> None:
    made = (await http.post("/shelves/1/boxes", json={"number": 7, "label": "nails"})).expect(201)
    assert made.location == "/shelves/1/boxes/7"
    assert (await http.get(made.location)).expect(200).json["shelf_id"] == 1
    (await http.get("/shelves/2/boxes/7")).expect_problem(404)
    assert (await http.get("/shelves/2/boxes")).expect(200).json["items"] == []
    (await http.get("/shelves/9/boxes")).expect_problem(404)
    (await http.post("/shelves/9/boxes", json={"number": 7, "label": "nails"})).expect_problem(404)


async def test_it_is_changed_and_deleted_there_alone(http: HttpTestHarness) -> None:
    made = (await http.post("/shelves/1/boxes", json={"number": 7, "label": "nails"})).expect(201)
    (await http.patch("/shelves/2/boxes/7", json={"label": "x"})).expect_problem(404)
    changed = (await http.patch("/shelves/1/boxes/7", json={"label": "pins"}, if_match=made.etag)).expect(200)
    (await http.delete("/shelves/1/boxes/7", if_match=made.etag)).expect_problem(412)
    (await http.delete("/shelves/1/boxes/7", if_match=changed.etag)).expect(204)


async def test_the_links_of_the_document_name_each_part_once(http: HttpTestHarness) -> None:
    document = (await http.get("/openapi.json")).expect(200).json
    assert "/shelves/{shelf_id}/boxes/{number}" in document["paths"]
    links = document["paths"]["/shelves/{shelf_id}/boxes"]["post"]["responses"]["201"]["links"]
    wanted = {"shelf_id": "$request.path.shelf_id", "number": "$response.body#/number"}
    assert links
    assert all(link["parameters"] == wanted for link in links.values())


async def test_a_parameter_of_another_name_leaves_the_key_whole(http: HttpTestHarness) -> None:
    made = (await http.post("/racks/1/boxes", json={"number": 7, "label": "nails"})).expect(201)
    assert made.location == "/racks/1/boxes/1/7"
    (await http.get(made.location)).expect(200)
