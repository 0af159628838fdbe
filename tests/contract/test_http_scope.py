"""Row scopes over HTTP: whatever a caller does through generated operations, other rows stay unseen and unharmed."""

from __future__ import annotations

import asyncio
import json
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loom.core import Query, schema_of
from loom.ports.persistence import Persistence
from tests.contract.http_api import STORES, make_store
from tests.contract.http_tenants import Tenants, as_, serve_tenants
from tests.unit.rest.tenants import OURS, THEIRS, Note, State

SEEDS: list[dict[str, Any]] = [
    {"tenant_id": OURS, "text": "ours"},
    {"tenant_id": OURS, "text": "ours, shut", "state": State.SHUT},
    {"tenant_id": OURS, "text": "ours, too high", "priority": 6},
    {"tenant_id": THEIRS, "text": "theirs"},
    {"tenant_id": THEIRS, "text": "theirs, shut", "state": State.SHUT},
]
TENANTS = st.sampled_from([None, str(OURS), str(THEIRS)])
STATES = st.sampled_from([None, "open", "shut"])
PRIORITIES = st.sampled_from([None, 0, 5, 6])
IDS = st.integers(1, 9)


def sent(tenant: str | None, state: str | None, priority: int | None) -> dict[str, Any]:
    given = {"tenant_id": tenant, "state": state, "priority": priority}
    return {name: value for name, value in given.items() if value is not None}


BODIES = st.builds(sent, TENANTS, STATES, PRIORITIES)
STEPS = st.one_of(
    st.tuples(
        st.just("list"),
        st.sampled_from(["", "?state=shut", f"?tenant_id={THEIRS}", "?priority.gt=5", "?sort=-priority&limit=1"]),
        st.none(),
    ),
    st.tuples(st.just("get"), IDS, st.none()),
    st.tuples(st.just("create"), st.none(), BODIES),
    st.tuples(st.just("update"), IDS, BODIES),
    st.tuples(st.just("delete"), IDS, st.none()),
    st.tuples(st.just("export"), st.sampled_from(["", "?state=shut", f"?tenant_id={THEIRS}"]), st.none()),
    st.tuples(st.just("create_many"), st.none(), st.lists(BODIES, min_size=1, max_size=3)),
    st.tuples(st.just("update_many"), st.lists(IDS, min_size=1, max_size=3, unique=True), BODIES),
    st.tuples(st.just("delete_many"), st.lists(IDS, min_size=1, max_size=3, unique=True), st.none()),
)
Held = dict[int, dict[str, Any]]


async def rows(store: Persistence) -> Held:
    async with store.begin(read_only=True) as unit:
        page = await unit.repository(Note).list(Query(limit=None))
    return {note.id: {name: getattr(note, name) for name in schema_of(Note).names} for note in page.items}


async def seed(store: Persistence) -> None:
    async with store.begin() as unit:
        for values in SEEDS:
            await unit.repository(Note).create(values)
        await unit.commit()


def inside(row: dict[str, Any]) -> bool:
    return row["tenant_id"] == OURS and row["state"] is State.OPEN and row["priority"] <= 5


def read(body: dict[str, Any]) -> dict[str, Any]:
    found = dict(body)
    if "tenant_id" in found:
        found["tenant_id"] = uuid.UUID(found["tenant_id"])
    if "state" in found:
        found["state"] = State(found["state"])
    return found


class Caller:
    """Ann, and what she must get for each step, from what the store held before it."""

    def __init__(self, api: Tenants) -> None:
        self.api = api

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        return await self.api.client.request(method, path, json=body, headers=as_("ann"))

    async def list(self, question: str, _: None, held: Held) -> Held:
        answer = await self.send("GET", f"/notes{question}")
        seen = {row["id"] for row in answer.json()["items"]}
        mine = {row["id"] for row in held.values() if inside(row)}
        assert answer.status_code == 200
        assert seen <= mine
        assert question or seen == mine
        return held

    async def get(self, key: int, _: None, held: Held) -> Held:
        answer = await self.send("GET", f"/notes/{key}")
        assert answer.status_code == (200 if key in held and inside(held[key]) else 404)
        return held

    async def create(self, _: None, body: dict[str, Any], held: Held) -> Held:
        answer = await self.send("POST", "/notes", {"text": "new", **body})
        row = {"tenant_id": OURS, "text": "new", "state": State.OPEN, "priority": 0, **read(body)}
        assert answer.status_code == (201 if inside(row) else 403)
        if answer.status_code == 403:
            return held
        key = answer.json()["id"]
        return {**held, key: {"id": key, **row}}

    async def update(self, key: int, body: dict[str, Any], held: Held) -> Held:
        answer = await self.send("PATCH", f"/notes/{key}", {"text": "changed", **body})
        if key not in held or not inside(held[key]):
            assert answer.status_code == 404
            return held
        row = {**held[key], "text": "changed", **read(body)}
        assert answer.status_code == (200 if inside(row) else 403)
        return {**held, key: row} if inside(row) else held

    async def delete(self, key: int, _: None, held: Held) -> Held:
        answer = await self.send("DELETE", f"/notes/{key}")
        mine = key in held and inside(held[key])
        assert answer.status_code == (204 if mine else 404)
        return {other: row for other, row in held.items() if other != key} if mine else held

    async def export(self, question: str, _: None, held: Held) -> Held:
        answer = await self.send("GET", f"/notes/export{question}")
        assert answer.status_code == 200
        seen = {json.loads(line)["id"] for line in answer.text.splitlines()}
        mine = {row["id"] for row in held.values() if inside(row)}
        assert seen <= mine
        assert question or seen == mine
        return held

    async def create_many(self, _: None, bodies: Sequence[dict[str, Any]], held: Held) -> Held:
        answer = await self.send("POST", "/notes/bulk", [{"text": "new", **body} for body in bodies])
        made = [{"tenant_id": OURS, "text": "new", "state": State.OPEN, "priority": 0, **read(body)} for body in bodies]
        right = all(map(inside, made))
        assert answer.status_code == (201 if right else 403)
        if not right:
            return held
        keys = [row["id"] for row in answer.json()]
        return {**held, **{key: {"id": key, **row} for key, row in zip(keys, made, strict=True)}}

    async def update_many(self, keys: Sequence[int], body: dict[str, Any], held: Held) -> Held:
        answer = await self.send("PATCH", "/notes/bulk", [{"id": key, "text": "changed", **body} for key in keys])
        changed = {key: {**held[key], "text": "changed", **read(body)} for key in keys if self.sees(key, held)}
        if len(changed) == len(keys) and all(map(inside, changed.values())):
            assert answer.status_code == 200
            return {**held, **changed}
        assert answer.status_code in (403, 404)
        return held

    async def delete_many(self, keys: Sequence[int], _: None, held: Held) -> Held:
        answer = await self.send("POST", "/notes/bulk/delete", [{"id": key} for key in keys])
        right = all(self.sees(key, held) for key in keys)
        assert answer.status_code == (204 if right else 404)
        return {key: row for key, row in held.items() if key not in keys} if right else held

    @staticmethod
    def sees(key: int, held: Held) -> bool:
        return key in held and inside(held[key])


async def play(store: Persistence, steps: list[tuple[str, Any, Any]]) -> None:
    async with serve_tenants(store) as api:
        await seed(store)
        caller, held = Caller(api), await rows(store)
        for name, at, body in steps:
            held = await getattr(caller, name)(at, body, held)
            assert await rows(store) == held, name


@pytest.mark.parametrize("name", STORES)
def test_no_generated_operation_leaks(name: str) -> None:
    @settings(max_examples=40 if name == "memory" else 8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(STEPS, min_size=1, max_size=12))
    # Moves out of each part of the scope, and reaches for what is outside.
    @example(steps=[("update", 1, {"priority": 6}), ("update", 1, {"state": "shut"}), ("get", 1, None)])
    @example(steps=[("update", key, {"tenant_id": str(OURS), "state": "open"}) for key in (2, 3, 4, 5)])
    @example(steps=[("update_many", [1], {"priority": 6}), ("update_many", [1, 4], {}), ("delete_many", [1, 4], None)])
    @example(steps=[("create_many", None, [{}, {"priority": 6}]), ("create_many", None, [{}, {}])])
    @example(steps=[("create", None, {"priority": 6}), ("create", None, {"tenant_id": str(THEIRS)})])
    def check(steps: list[tuple[str, Any, Any]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(play(make_store(name, Path(folder)), steps))

    check()


async def test_a_row_that_is_not_visible_is_answered_as_one_that_is_not_there(tmp_path: Path) -> None:
    store = make_store("memory", tmp_path)
    async with serve_tenants(store) as api:
        await seed(store)
        theirs, nothing = [await api.client.get(f"/notes/{key}", headers=as_("ann")) for key in (4, 99)]
        assert theirs.json()["detail"].replace("4", "99") == nothing.json()["detail"]
        assert theirs.status_code == nothing.status_code == 404


async def test_the_subject_owns_what_it_creates(tmp_path: Path) -> None:
    async with serve_tenants(make_store("memory", tmp_path)) as api:
        created = await api.client.post("/drafts", json={"text": "x"}, headers=as_("ann"))
        assert (created.status_code, created.json()["owner"]) == (201, "ann")
        path = created.headers["location"]
        assert (await api.client.get(path, headers=as_("root"))).status_code == 404
        assert (await api.client.post("/drafts", json={"owner": "root"}, headers=as_("ann"))).status_code == 403


async def test_a_caller_without_the_claim_is_not_let_in(tmp_path: Path) -> None:
    async with serve_tenants(make_store("memory", tmp_path)) as api:
        for method, path in (("GET", "/notes"), ("GET", "/notes/1"), ("DELETE", "/notes/1")):
            answer = await api.client.request(method, path, headers=as_("root"))
            assert (answer.status_code, answer.json()["code"]) == (403, "LOOM-FORBIDDEN")
