"""Bulk routes, export and sparse fields below a parent speak of its rows alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from loom.core import entity, field, key
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.contract.http_api import Api, serve
from tests.unit.rest.rest_shop import compiled


@entity(table="nested_users")
class User:
    id: int = key(autoincrement=True)
    name: str = field(max_length=20)


@entity(table="nested_pets")
class Pet:
    id: int = key(autoincrement=True)
    user_id: int = field(references="nested_users.id")
    name: str = field(max_length=20)


@entity(table="nested_clinics", soft_delete=True)
class Clinic:
    id: int = key(autoincrement=True)


@entity(table="nested_beds")
class Bed:
    clinic_id: int = key(references="nested_clinics.id")
    number: int = key()
    label: str = field(max_length=10, default="")


class Clinics(RestInterface[Clinic]):
    prefix = "/clinics"
    auto = True


class Beds(RestInterface[Bed]):
    prefix = "/clinics/{clinic_id}/beds"
    parent = "clinic_id"
    auto = True
    bulk = ("create", "update", "delete")
    export = True


class Users(RestInterface[User]):
    prefix = "/users"
    auto = True


class Pets(RestInterface[Pet]):
    prefix = "/users/{user_id}/pets"
    parent = "user_id"
    auto = True
    bulk = ("create", "update", "delete")
    export = True
    fields = ("name",)


PLANS = compiled([Users, Pets, Clinics, Beds])


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Api]:
    async with serve(any_store, plans=PLANS, models=(User, Pet, Clinic, Bed)) as served:
        for name in ("Ada", "Bob"):
            await served.client.post("/users", json={"name": name})
        for user, name in ((1, "cat"), (2, "dog")):
            await served.client.post(f"/users/{user}/pets", json={"name": name})
        yield served


async def send(api: Api, method: str, path: str, items: Any) -> int:
    return (await api.client.request(method, path, json=items)).status_code


async def test_new_rows_belong_to_the_parent_of_their_path(api: Api) -> None:
    answer = await api.client.post("/users/2/pets/bulk", json=[{"name": "emu"}, {"name": "fox"}])
    assert (answer.status_code, [row["user_id"] for row in answer.json()]) == (201, [2, 2])
    assert await send(api, "POST", "/users/9/pets/bulk", [{"name": "gnu"}]) == 404


async def test_rows_of_another_parent_do_not_exist(api: Api) -> None:
    assert await send(api, "PATCH", "/users/1/pets/bulk", [{"id": 2, "name": "x"}]) == 404
    assert await send(api, "POST", "/users/1/pets/bulk/delete", [{"id": 1}, {"id": 2}]) == 404
    assert await send(api, "POST", "/users/2/pets/bulk/delete", [{"id": 2}]) == 204
    assert (await api.client.get("/users/1/pets/1")).status_code == 200


async def test_lists_and_rows_are_those_of_the_parent(api: Api) -> None:
    assert (await api.client.get("/users/1/pets/export")).text.count("\n") == 1
    assert (await api.client.get("/users/9/pets/export")).status_code == 404
    assert (await api.client.get("/users/2/pets?fields=name")).json()["items"] == [{"id": 2, "name": "dog"}]
    assert (await api.client.get("/users/2/pets/2?fields=name")).json() == {"id": 2, "name": "dog"}
    assert (await api.client.get("/users/1/pets/2?fields=name")).status_code == 404


async def test_taken_keys_are_those_of_the_parent(api: Api) -> None:
    for _ in range(2):
        await api.client.post("/clinics", json={})
    beds = [{"number": number} for number in (1, 2)]
    for clinic in (1, 2):
        assert await send(api, "POST", f"/clinics/{clinic}/beds/bulk", beds) == 201
    again = await api.client.post("/clinics/1/beds/bulk", json=[{"number": 3}, {"number": 3}, {"number": 2}])
    assert again.status_code == 409
    assert [fault["pointer"] for fault in again.json()["errors"]] == ["/1/number", "/2/number"]


async def test_below_a_parent_that_is_marked_as_deleted_there_is_nothing(api: Api) -> None:
    await api.client.post("/clinics", json={})
    assert (await api.client.post("/clinics/1/beds", json={"number": 1})).status_code == 201
    assert (await api.client.delete("/clinics/1")).status_code == 204
    for path in ("", "/1", "/export"):
        answer = await api.client.get(f"/clinics/1/beds{path}")
        assert (answer.status_code, answer.json()["detail"]) == (404, "Clinic 1 does not exist")
    key_of = {"clinic_id": 1, "number": 1}
    assert await send(api, "PATCH", "/clinics/1/beds/1", {"label": "x"}) == 404
    assert await send(api, "PATCH", "/clinics/1/beds/bulk", [{**key_of, "label": "x"}]) == 404
    assert await send(api, "POST", "/clinics/1/beds/bulk/delete", [key_of]) == 404
    assert (await api.client.delete("/clinics/1/beds/1")).status_code == 404
