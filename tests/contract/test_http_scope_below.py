"""What is nested below rows of a scope is there only for callers who see those rows, without a scope of its own."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.core import Forbidden, NotFound, Unauthenticated, col, entity, field, key, principal, relation
from loom.ports.persistence import Persistence
from loom.rest import RestInterface, RestRoute, auto_crud
from tests.contract.http_tenants import as_, serve_tenants
from tests.unit.rest.rest_shop import NothingBound, compiled
from tests.unit.rest.tenants import Note, NoteInterface


@entity(table="remarks")
class Remark:
    id: int = key(autoincrement=True)
    note_id: int = field(references="notes.id")
    # Other tests have tables of that name too.
    note: Note = relation(foreign_key="note_id")
    text: str = field(max_length=40, default="")


class FirstRemarks(auto_crud(Remark).list):  # type: ignore[misc]
    """The list under another name."""


class Remarks(RestInterface[Remark]):
    prefix = "/notes/{note_id}/remarks"
    auto = True
    parent = "note_id"
    bulk = ("create", "update", "delete")
    export = True
    routes = (RestRoute(use_case=FirstRemarks, method="GET", path="/first"),)


class AllRemarks(RestInterface[Remark]):
    prefix = "/remarks"
    auto = True
    scope = col("text") == principal.subject


CALLS: Sequence[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/first", None),
    ("GET", "/export", None),
    ("POST", "", {}),
    ("GET", "/1", None),
    ("PATCH", "/1", {"text": "mine"}),
    ("DELETE", "/1", None),
    ("POST", "/bulk", [{}]),
    ("PATCH", "/bulk", [{"id": 1, "text": "mine"}]),
    ("POST", "/bulk/delete", [{"id": 1}]),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_another_tenants_rows_have_nothing_below_them(
    any_store: Persistence, method: str, path: str, body: Any
) -> None:
    async with serve_tenants(any_store, interfaces=(NoteInterface, Remarks), models=(Note, Remark)) as served:
        note = (await served.client.post("/notes", json={"text": "a note"}, headers=as_("ann"))).headers["location"]
        made = await served.client.post(f"{note}/remarks", json={"text": "first"}, headers=as_("ann"))
        assert made.status_code == 201, made.text

        content = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"} if content else {}

        async def call(who: dict[str, str]) -> int:
            found = await served.client.request(
                method, f"{note}/remarks{path}", content=content, headers={**headers, **who}
            )
            return found.status_code

        assert await call(as_("bob")) == 404
        assert await call({}) == 401
        assert await call(as_("root")) == 403
        left = await served.client.get(f"{note}/remarks", headers=as_("ann"))
        assert [(each["id"], each["text"]) for each in left.json()["items"]] == [(1, "first")]
        assert await call(as_("ann")) in (200, 201, 204)


async def test_a_row_that_leaves_the_scope_takes_what_is_below_with_it(any_store: Persistence) -> None:
    async with serve_tenants(any_store, interfaces=(NoteInterface, Remarks), models=(Note, Remark)) as served:
        note = (await served.client.post("/notes", json={"text": "a note"}, headers=as_("ann"))).headers["location"]
        async with any_store.begin() as unit:
            await unit.repository(Note).update(1, {"tenant_id": uuid.UUID(int=2)})
            await unit.commit()
        assert (await served.client.get(f"{note}/remarks", headers=as_("ann"))).status_code == 404
        assert (await served.client.get(f"{note}/remarks", headers=as_("bob"))).json()["items"] == []


def test_the_answers_of_a_scope_above_are_in_the_plan() -> None:
    plans = {plan.name: plan for plan in compiled([NoteInterface, Remarks])}
    assert all({Unauthenticated, Forbidden, NotFound} <= set(route.errors) for route in plans["Remarks"].routes)


def test_what_is_below_a_scope_that_asks_who_calls_cannot_be_public() -> None:
    class Open(RestInterface[Remark]):
        prefix = "/notes/{note_id}/remarks"
        auto = True
        parent = "note_id"
        public = True

    issues = Issues()
    assert compile_interface(Open, issues, NothingBound(), [NoteInterface, Open]) is None
    assert {issue.code for issue in issues.found} == {"LOOM-REST-044"}


def test_a_scope_beside_the_path_says_nothing() -> None:
    class Elsewhere(RestInterface[Note]):
        prefix = "/archive/notes"
        auto = True
        scope = col("tenant_id") == principal.tenant_id

    found = compiled([Elsewhere, AllRemarks, Remarks])[2]
    assert not any(route.access.stated for route in found.routes)
