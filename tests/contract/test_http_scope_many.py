"""Row scopes hold for bulk routes, export and sparse fields too: other rows stay unseen and unharmed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from loom.core import Query, col, principal
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.contract.http_tenants import Tenants, as_, serve_tenants
from tests.unit.rest.tenants import OURS, THEIRS, Note


class ManyNotes(RestInterface[Note]):
    prefix = "/many"
    auto = True
    scope = col("tenant_id") == principal.tenant_id
    bulk = ("create", "update", "delete")
    export = True
    fields = ("text",)


@pytest.fixture
async def api(any_store: Persistence) -> AsyncIterator[Tenants]:
    async with serve_tenants(any_store, interfaces=(ManyNotes,), models=(Note,)) as served:
        async with any_store.begin() as unit:
            notes = unit.repository(Note)
            await notes.create_all([{"tenant_id": tenant, "text": str(tenant.int)} for tenant in (OURS, THEIRS)])
            await unit.commit()
        yield served


async def stored(api: Tenants) -> list[tuple[int, str]]:
    async with api.store.begin(read_only=True) as unit:
        return [(row.tenant_id.int, row.text) for row in (await unit.repository(Note).list(Query())).items]


async def send(api: Tenants, method: str, path: str, items: Any) -> int:
    answer = await api.client.request(method, path, json=items, headers=as_("ann"))
    return answer.status_code


async def test_new_rows_belong_to_the_caller(api: Tenants) -> None:
    assert await send(api, "POST", "/many/bulk", [{"text": "a"}, {"text": "b", "tenant_id": str(OURS)}]) == 201
    assert await send(api, "POST", "/many/bulk", [{"text": "c"}, {"text": "d", "tenant_id": str(THEIRS)}]) == 403
    assert await stored(api) == [(1, "1"), (2, "2"), (1, "a"), (1, "b")]


async def test_rows_of_others_do_not_exist(api: Tenants) -> None:
    both = [{"id": 1, "text": "x"}, {"id": 2, "text": "x"}]
    assert await send(api, "PATCH", "/many/bulk", both) == 404
    assert await send(api, "PATCH", "/many/bulk", [{"id": 1, "tenant_id": str(THEIRS)}]) == 403
    assert await send(api, "POST", "/many/bulk/delete", [{"id": 1}, {"id": 2}]) == 404
    assert await stored(api) == [(1, "1"), (2, "2")]


async def test_rows_of_others_are_not_read(api: Tenants) -> None:
    lines = (await api.client.get("/many/export", headers=as_("ann"))).text.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["1"]
    page = (await api.client.get("/many?fields=text", headers=as_("ann"))).json()
    assert page["items"] == [{"id": 1, "text": "1"}]
    assert (await api.client.get("/many/2?fields=text", headers=as_("ann"))).status_code == 404


async def test_who_is_not_known_gets_nothing(api: Tenants) -> None:
    for path in ("/many/export", "/many?fields=text"):
        assert (await api.client.get(path)).status_code == 401
    assert (await api.client.post("/many/bulk", json=[])).status_code == 401


async def test_a_key_belongs_to_its_caller(api: Tenants) -> None:
    """Two callers may use the same idempotency key, and neither is told the answer of the other."""
    for holder in ("ann", "bob", "ann"):
        headers = as_(holder) | {"Idempotency-Key": "one"}
        answer = await api.client.post("/many", json={"text": "same"}, headers=headers)
        assert answer.status_code == 201
        assert answer.json()["tenant_id"] == str({"ann": OURS, "bob": THEIRS}[holder])
    assert (await stored(api))[2:] == [(1, "same"), (2, "same")]
