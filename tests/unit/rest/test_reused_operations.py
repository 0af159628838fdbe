"""Routes of one's own that run a generated use case, or one derived from it: they do what the generated route does."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from loom.config.kernel import Kernel
from loom.core import Exists, F, Input, LoadById, Query, Rule, col, entity, field, key, relation
from loom.rest import RestInterface, RestRoute, auto_crud
from loom.testing import HttpTestHarness


@entity(table="ru_wards")
class RuWard:
    id: int = key(autoincrement=True)
    name: str = field(max_length=40)


@entity(table="ru_beds", profiles={"with_ward": ("ward",)})
class RuBed:
    id: int = key(autoincrement=True)
    ward_id: int
    label: str = field(max_length=10)
    site: str = "north"
    ward: RuWard = relation(foreign_key="ward_id")


wards: Any = auto_crud(RuWard)
beds: Any = auto_crud(RuBed)


class WardInterface(RestInterface[RuWard]):
    prefix = "/wards"
    auto = True


class CheckedBeds(beds.list):  # type: ignore[misc]
    """Inherits ``execute``."""


class AddBed(beds.create):  # type: ignore[misc]
    """Has a rule, and ``execute`` from the generated class."""

    rules = (Rule.require(F(beds.create_command).label != "", message="must not be empty"),)


class BedInterface(RestInterface[RuBed]):
    prefix = "/beds"
    auto = True
    fields = ("label", "site")
    sorts = ("label",)
    profiles = ("with_ward",)
    default_profile = "with_ward"
    routes = (
        RestRoute(use_case=beds.list, method="GET"),
        RestRoute(use_case=CheckedBeds, method="GET", path="/checked"),
        RestRoute(use_case=beds.get, method="GET", path="/by-id/{id}"),
        RestRoute(use_case=AddBed, method="POST", path="/add"),
        RestRoute(use_case=beds.bulk.create, method="POST", path="/many"),
        RestRoute(use_case=beds.bulk.update, method="PATCH", path="/many"),
        RestRoute(use_case=beds.bulk.delete, method="POST", path="/many/delete"),
    )


class ShowBed(beds.get):  # type: ignore[misc]
    """Takes the parent too, which its ``execute`` does not look at otherwise."""

    async def execute(self, ward_id: int, id: int) -> RuBed:  # noqa: A002 - the key's name
        row: RuBed = await super().execute(id=id)
        assert row.ward_id == ward_id
        return row


class RelabelBed(beds.update):  # type: ignore[misc]
    """Knows nothing of a parent."""

    async def execute(self, id: int, cmd: beds.patch_command = Input()) -> RuBed:  # noqa: A002 - the key's name
        row: RuBed = await super().execute(id=id, cmd=cmd)
        return row


class MoveBed(beds.update):  # type: ignore[misc]
    """Loads the row by itself."""

    async def execute(
        self, bed: RuBed = LoadById(RuBed), free: bool = Exists(RuBed, from_param="label", against="label")
    ) -> dict[str, Any]:
        return {"id": bed.id, "free": not free}


class WardBedInterface(RestInterface[RuBed]):
    prefix = "/wards/{ward_id}/beds"
    auto = True
    parent = "ward_id"
    routes = (
        RestRoute(use_case=beds.list, method="GET", path="/all"),
        RestRoute(use_case=beds.create, method="POST", path="/add"),
        RestRoute(use_case=ShowBed, method="GET", path="/{id}/show"),
        RestRoute(use_case=RelabelBed, method="POST", path="/{id}/relabel"),
        RestRoute(use_case=MoveBed, method="POST", path="/{id}/move/{label}"),
    )


class NorthInterface(RestInterface[RuBed]):
    prefix = "/north"
    auto = True
    scope = col("site") == "north"
    routes = (
        RestRoute(use_case=beds.create, method="POST", path="/add"),
        RestRoute(use_case=beds.export, method="GET", path="/dump"),
        RestRoute(use_case=MoveBed, method="POST", path="/{id}/move/{label}"),
    )


@pytest_asyncio.fixture
async def http() -> AsyncIterator[HttpTestHarness]:
    async with HttpTestHarness(Kernel.from_yaml(modules=[sys.modules[__name__]])) as harness:
        for name in ("A", "B"):
            (await harness.post("/wards", json={"name": name})).expect(201)
        for ward, label, site in ((1, "a1", "north"), (1, "a2", "south"), (2, "b1", "north")):
            (await harness.post("/beds", json={"ward_id": ward, "label": label, "site": site})).expect(201)
        yield harness


@pytest.mark.parametrize("path", ["/beds", "/beds/checked"])
async def test_a_reused_list_takes_fields_sorts_and_profiles(http: HttpTestHarness, path: str) -> None:
    sparse = (await http.get(path, query={"fields": "label", "sort": "-label", "limit": "1"})).expect(200)
    assert sparse.json["items"] == [{"id": 3, "label": "b1"}]
    assert (await http.get(path)).expect(200).json["items"][0]["ward"] == {"id": 1, "name": "A"}


async def test_a_reused_get_takes_fields_and_has_the_default_profile(http: HttpTestHarness) -> None:
    assert (await http.get("/beds/by-id/1", query={"fields": "site"})).expect(200).json == {"id": 1, "site": "north"}
    assert (await http.get("/beds/by-id/1")).expect(200).json["ward"] == {"id": 1, "name": "A"}


async def test_a_reused_create_answers_201_and_where(http: HttpTestHarness) -> None:
    made = (await http.post("/beds/add", json={"ward_id": 1, "label": "a3"})).expect(201)
    assert made.location == "/beds/4"
    (await http.post("/beds/add", json={"ward_id": 1, "label": ""})).expect_problem(422)
    (await http.post("/beds/many", json=[{"ward_id": 1, "label": "a4"}])).expect(201)


async def test_what_a_reused_operation_answers_stands_in_the_document(http: HttpTestHarness) -> None:
    paths = (await http.get("/openapi.json")).expect(200).json["paths"]
    for reused, generated in (("/beds/many", "/wards"), ("/beds/add", "/wards")):
        assert "201" in paths[reused]["post"]["responses"].keys() & paths[generated]["post"]["responses"].keys()
    for path, method in (("/beds/many", "patch"), ("/beds/many/delete", "post")):
        assert "404" in paths[path][method]["responses"]
    (await http.patch("/beds/many", json=[{"id": 9, "label": "x"}])).expect_problem(404)
    (await http.post("/beds/many/delete", json=[{"id": 9}])).expect_problem(404)


async def test_below_a_parent_a_reused_operation_knows_its_rows_alone(http: HttpTestHarness) -> None:
    labels = [row["label"] for row in (await http.get("/wards/1/beds/all")).expect(200).json["items"]]
    assert labels == ["a1", "a2"]
    made = (await http.post("/wards/2/beds/add", json={"label": "b2"})).expect(201)
    assert (made.json["ward_id"], made.location) == (2, "/wards/2/beds/4")
    (await http.post("/wards/9/beds/add", json={"label": "x"})).expect_problem(404)


async def test_so_does_what_is_derived_from_one(http: HttpTestHarness) -> None:
    (await http.get("/wards/1/beds/1/show")).expect(200)
    (await http.get("/wards/2/beds/1/show")).expect_problem(404)
    (await http.post("/wards/2/beds/1/relabel", json={"label": "x"})).expect_problem(404)
    assert (await http.post("/wards/1/beds/1/relabel", json={"label": "x"})).expect(200).json["label"] == "x"


async def test_in_a_scope_a_reused_operation_is_the_scoped_one(http: HttpTestHarness) -> None:
    made = (await http.post("/north/add", json={"ward_id": 1, "label": "n"})).expect(201)
    assert made.json["site"] == "north"
    dumped = (await http.get("/north/dump")).expect(200).body.decode().splitlines()
    assert len(dumped) == 3
    assert not any("south" in line for line in dumped)


async def test_what_a_derived_one_loads_is_of_the_parent_or_scope_too(http: HttpTestHarness) -> None:
    assert (await http.post("/wards/1/beds/1/move/a2")).expect(200).json == {"id": 1, "free": False}
    assert (await http.post("/wards/1/beds/1/move/b1")).expect(200).json == {"id": 1, "free": True}
    (await http.post("/wards/2/beds/1/move/a2")).expect_problem(404)
    assert (await http.post("/north/1/move/a2")).expect(200).json == {"id": 1, "free": True}
    (await http.post("/north/2/move/b1")).expect_problem(404)


def test_the_generated_class_itself_is_not_changed() -> None:
    assert list(beds.list.execute.__annotations__) == ["query", "return"]
    assert beds.list.execute.__annotations__["query"] is Query
