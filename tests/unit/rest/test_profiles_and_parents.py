"""Profiles and nested resources over HTTP: what a client may ask for, and what it gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest
import pytest_asyncio

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.adapters.json.codec import JsonCodec
from loom.adapters.system.clock import SystemClock
from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.application.usecase.executor import Executor
from loom.core import UseCase, entity, field, key, projection, relation
from loom.rest import Profile, RestInterface, RestRoute
from tests.contract.http_api import STORES, make_store
from tests.unit.rest.rest_shop import NothingBound


@entity(table="np_users", profiles={"with_addresses": ("addresses", "addresses_count")})
class NpUser:
    id: int = key(autoincrement=True)
    name: str = field(max_length=20)
    addresses: tuple[NpAddress, ...] = relation()
    addresses_count: int = projection(count="addresses")


@entity(table="np_addresses", profiles={"with_user": ("user",), "with_all": ("user.with_addresses",)})
class NpAddress:
    id: int = key(autoincrement=True)
    user_id: int = field(references="np_users.id", on_delete="cascade")
    city: str = field(max_length=20)
    user: NpUser = relation()


class UserInterface(RestInterface[NpUser]):
    prefix = "/users"
    auto = True
    profiles = ("with_addresses",)
    filters = ("name", "addresses.city")


class AddressInterface(RestInterface[NpAddress]):
    prefix = "/users/{user_id}/addresses"
    auto = True
    parent = "user_id"
    profiles = ("with_all",)
    default_profile = "with_user"
    filters = ("city",)


class PlainInterface(RestInterface[NpAddress]):
    prefix = "/addresses"
    auto = True
    include = ("list", "get")
    filters = ("user.name",)


INTERFACES = (UserInterface, AddressInterface, PlainInterface)


def compiled() -> list[Any]:
    issues = Issues()
    plans = [compile_interface(each, issues, NothingBound()) for each in INTERFACES]
    issues.raise_if_any()
    return plans


@pytest_asyncio.fixture(params=STORES)
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    store, codec = make_store(request.param, tmp_path), JsonCodec()
    executor = Executor(persistence=store, resolver=NothingBound(), codec=codec, clock=SystemClock())
    app = FastapiShell(FastapiSettings(title="np", version="1"), codec).build(compiled(), executor)
    await store.start((NpUser, NpAddress))
    async with store.begin() as unit:
        await unit.repository(NpUser).create_many([{"name": "ann"}, {"name": "bob"}])
        rows = [{"user_id": 1, "city": "Rome"}, {"user_id": 1, "city": "Oslo"}, {"user_id": 2, "city": "Oslo"}]
        await unit.repository(NpAddress).create_many(rows)
        await unit.commit()
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://np") as opened:
        yield opened
    await store.stop()


@pytest.mark.asyncio
class TestProfiles:
    async def test_a_row_holds_what_its_profile_names_and_nothing_else(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get("/users/1")).json() == {"id": 1, "name": "ann"}
        loaded = (await client.get("/users/1?profile=with_addresses")).json()
        assert loaded == {
            "id": 1,
            "name": "ann",
            "addresses": [{"id": 1, "user_id": 1, "city": "Rome"}, {"id": 2, "user_id": 1, "city": "Oslo"}],
            "addresses_count": 2,
        }

    async def test_every_page_of_a_list_has_the_profile(self, client: httpx2.AsyncClient) -> None:
        first = (await client.get("/users?profile=with_addresses&limit=1")).json()
        assert [row["addresses_count"] for row in first["items"]] == [2]
        rest = await client.get(f"/users?profile=with_addresses&limit=1&cursor={first['next_cursor']}")
        assert [len(row["addresses"]) for row in rest.json()["items"]] == [1]
        plain = await client.get(f"/users?cursor={first['next_cursor']}")
        assert plain.json()["items"] == [{"id": 2, "name": "bob"}]

    async def test_the_default_profile_holds_where_none_is_asked_for(self, client: httpx2.AsyncClient) -> None:
        ann = {"id": 1, "name": "ann"}
        assert (await client.get("/users/1/addresses/1")).json()["user"] == ann
        assert [row["user"] for row in (await client.get("/users/1/addresses")).json()["items"]] == [ann, ann]
        deep = (await client.get("/users/1/addresses/1?profile=with_all")).json()["user"]
        assert (deep["addresses_count"], len(deep["addresses"])) == (2, 2)

    @pytest.mark.parametrize("path", ["/users", "/users/1"])
    async def test_an_unknown_profile_is_a_fault_of_the_query(self, client: httpx2.AsyncClient, path: str) -> None:
        answer = await client.get(f"{path}?profile=with_adresses")
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["in"], fault["pointer"]) == ("query", "/profile")
        assert "with_addresses" in fault["detail"]

    async def test_a_profile_that_is_not_declared_cannot_be_asked_for(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get("/addresses/1?profile=with_user")).status_code == 422
        assert (await client.get("/addresses/1")).json() == {"id": 1, "user_id": 1, "city": "Rome"}

    async def test_lists_are_filtered_across_relations(self, client: httpx2.AsyncClient) -> None:
        found = (await client.get("/addresses?user.name=bob")).json()["items"]
        assert [row["id"] for row in found] == [3]
        found = (await client.get("/users?addresses.city=Rome")).json()["items"]
        assert [row["name"] for row in found] == ["ann"]
        assert (await client.get("/addresses?user.id=1")).status_code == 422

    async def test_commands_take_no_relations(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post("/users", json={"name": "x", "addresses": []})
        assert answer.status_code == 422
        assert (await client.patch("/users/1", json={"addresses_count": 5})).status_code == 422


@pytest.mark.asyncio
class TestParents:
    async def test_rows_of_another_parent_do_not_exist(self, client: httpx2.AsyncClient) -> None:
        assert [row["id"] for row in (await client.get("/users/2/addresses")).json()["items"]] == [3]
        for method, body in (("GET", None), ("PATCH", {"city": "x"}), ("DELETE", None)):
            answer = await client.request(method, "/users/2/addresses/1", json=body)
            assert answer.status_code == 404, method
        assert (await client.get("/addresses/1")).json()["city"] == "Rome"

    async def test_a_new_row_belongs_to_the_parent_of_its_path(self, client: httpx2.AsyncClient) -> None:
        made = await client.post("/users/2/addresses", json={"city": "Bern"})
        assert (made.status_code, made.json()["user_id"]) == (201, 2)
        assert made.headers["location"] == f"/users/2/addresses/{made.json()['id']}"
        assert (await client.get(made.headers["location"])).json()["city"] == "Bern"
        assert (await client.patch(made.headers["location"], json={"city": "Basel"})).json()["city"] == "Basel"
        assert (await client.delete(made.headers["location"])).status_code == 204
        other = await client.post("/users/2/addresses", json={"city": "x", "user_id": 1})
        assert other.status_code == 422

    async def test_a_parent_that_does_not_exist_is_not_found(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get("/users/9/addresses")).status_code == 404
        assert (await client.post("/users/9/addresses", json={"city": "x"})).status_code == 404
        assert (await client.get("/users/1/addresses?city=Nowhere")).json()["items"] == []
        assert (await client.get("/users/x/addresses")).status_code == 422


def test_the_document_has_a_schema_for_each_profile() -> None:
    document = openapi_document(compiled(), ApiInfo(title="np", version="1"))
    schemas = document["components"]["schemas"]
    assert list(schemas["NpUser"]["properties"]) == ["id", "name"]
    loaded = schemas["NpUser_with_addresses"]
    assert loaded["required"] == ["id", "name", "addresses", "addresses_count"]
    assert loaded["properties"]["addresses"] == {"type": "array", "items": {"$ref": "#/components/schemas/NpAddress"}}
    get = document["paths"]["/users/{id}"]["get"]
    assert get["responses"]["200"]["content"]["application/json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/NpUser_with_addresses"}, {"$ref": "#/components/schemas/NpUser"}]
    }
    (parameter,) = [each for each in get["parameters"] if each["name"] == "profile"]
    assert parameter["schema"] == {"type": "string", "enum": ["with_addresses"]}
    nested = document["paths"]["/users/{user_id}/addresses/{id}"]["get"]
    (parameter,) = [each for each in nested["parameters"] if each["name"] == "profile"]
    assert parameter["schema"]["default"] == "with_user"
    body = nested["responses"]["200"]["content"]["application/json"]["schema"]
    assert [each["$ref"].rpartition("/")[2] for each in body["anyOf"]] == ["NpAddress_with_user", "NpAddress_with_all"]
    create = document["paths"]["/users/{user_id}/addresses"]["post"]["requestBody"]["content"]["application/json"]
    name = create["schema"]["$ref"].rpartition("/")[2]
    assert list(schemas[name]["properties"]) == ["city"]


class Misspelt(RestInterface[NpUser]):
    prefix = "/misspelt"
    auto = True
    profiles = ("with_adresses",)
    default_profile = "full"
    filters = ("addresses.cty",)


class Orphan(RestInterface[NpAddress]):
    prefix = "/people/{person}/addresses"
    auto = True
    parent: ClassVar[Any] = {"persn": "user_id", "person": "city", "other": "usr_id"}


def test_what_does_not_exist_is_told_with_what_was_meant() -> None:
    issues = Issues()
    for each in (Misspelt, Orphan):
        assert compile_interface(each, issues, NothingBound()) is None
    told = [f"{issue.code} {issue.message}: {issue.remedy}" for issue in issues.found]
    prefix = """the prefix '/people/{person}/addresses' has no parameter"""
    example = """write prefix = "/users/{user_id}/addresses", parent = "user_id\""""
    expected = """
        LOOM-REST-019 Misspelt.filters: column 'addresses.cty' does not exist: did you mean 'addresses.city'?
        LOOM-REST-060 Misspelt.profiles: profile of NpUser 'with_adresses' does not exist: did you mean {near}?
        LOOM-REST-060 Misspelt.default_profile: profile of NpUser 'full' does not exist: known: with_addresses
        LOOM-REST-061 parent: NpAddress.city refers to no entity: declare it: {declare}
        LOOM-REST-061 Orphan.parent: field 'usr_id' does not exist: did you mean 'user_id'?
    """
    expected = expected.replace("{near}", "'with_addresses'")
    expected = expected.replace("{declare}", """field(references="table.column"), or a relation""")
    wanted = [line.strip() for line in expected.strip().splitlines()]
    wanted += [f"LOOM-REST-061 parent: {prefix} {{{name}}}: {example}" for name in ("persn", "other")]
    assert sorted(told) == sorted(wanted)


def test_a_use_case_of_ones_own_has_its_own_default_profile() -> None:
    class Find(UseCase[NpUser, NpUser | None]):
        async def execute(self, name: str, profile: Profile) -> NpUser | None:
            return None

    class Show(UseCase[NpUser, NpUser | None]):
        async def execute(self, id: int, profile: Profile = Profile("")) -> NpUser | None:  # noqa: A002 - the key
            return None

    class Lost(UseCase[NpUser, NpUser | None]):
        async def execute(self, id: int, profile: Profile = Profile("with_adresses")) -> NpUser | None:  # noqa: A002
            return None

    class Own(RestInterface[NpUser]):
        prefix = "/own"
        profiles = ("with_addresses",)
        default_profile = "with_addresses"
        routes: ClassVar[Any] = (
            RestRoute(use_case=Find, method="GET", path="/find"),
            RestRoute(use_case=Show, method="GET", path="/{id}"),
        )

    class Nothing(RestInterface[NpUser]):
        prefix = "/nothing"
        routes: ClassVar[Any] = (RestRoute(use_case=Find, method="GET", path="/find"),)

    class Wrong(Own):
        routes: ClassVar[Any] = (RestRoute(use_case=Lost, method="GET", path="/{id}"),)

    issues = Issues()
    plan = compile_interface(Own, issues, NothingBound())
    issues.raise_if_any()
    assert plan is not None
    found, shown = ([each for each in route.query_parameters if each.name == "profile"] for route in plan.routes)
    assert [(each.required, each.default) for each in (*found, *shown)] == [(True, None), (False, None)]
    assert compile_interface(Wrong, issues, NothingBound()) is None
    assert [(issue.code, issue.message, issue.remedy) for issue in issues.found] == [
        ("LOOM-REST-060", "Lost(profile): profile 'with_adresses' does not exist", "did you mean 'with_addresses'?")
    ]
    issues = Issues()
    assert compile_interface(Nothing, issues, NothingBound()) is None
    assert [(issue.code, issue.message) for issue in issues.found] == [
        ("LOOM-REST-060", "Find takes 'profile', but the interface has no profiles of its model to ask for")
    ]
