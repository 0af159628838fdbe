"""Versions over HTTP: ETag, If-Match and If-None-Match (RFC 9110), over every store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import CacheConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import missing_required_header, positive_data_acceptance

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.system.clock import SystemClock
from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.application.rest.declare import RestInterface, RestRoute
from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.application.rest.plan import InterfacePlan
from loom.application.usecase.created import Created
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.executor import Executor
from loom.application.usecase.markers import ExpectedVersion
from loom.domain.errors import NotFound
from loom.domain.model import entity, field, key
from tests.contract.http_api import STORES, Api, make_store, serve
from tests.unit.rest.rest_shop import NothingBound


@entity(table="http_notes", version=True, soft_delete=True)
class Note:
    id: int = key(autoincrement=True)
    text: str = field(max_length=200)
    votes: int = 0


@entity(table="http_labels")
class Label:
    name: str = key(max_length=20)
    color: str = ""


class Vote(UseCase[Note, Note]):
    """Count one more vote."""

    async def execute(self, note_id: int, expected: int | None = ExpectedVersion()) -> Note:
        note = await self.main_repo.get(note_id)
        if note is None:
            raise NotFound("Note", note_id)
        changed = await self.main_repo.update(note_id, {"votes": note.votes + 1}, expected_version=expected)
        assert changed is not None
        return changed


class Copy(UseCase[Note, Created[Note]]):
    """Make another note of the same text."""

    async def execute(self, note_id: int) -> Created[Note]:
        note = await self.main_repo.get(note_id)
        if note is None:
            raise NotFound("Note", note_id)
        return Created(await self.main_repo.create({"text": note.text}))


class Notes(RestInterface[Note]):
    prefix = "/notes"
    auto = True
    fields = ("text",)
    routes = (
        RestRoute(use_case=Vote, method="POST", path="/{note_id}/vote"),
        RestRoute(use_case=Copy, method="POST", path="/{note_id}/copy"),
    )


class StrictNotes(RestInterface[Note]):
    prefix = "/strict"
    auto = True
    require_if_match = True


class Labels(RestInterface[Label]):
    prefix = "/labels"
    auto = True


def plans() -> list[InterfacePlan]:
    issues = Issues()
    found = [compile_interface(cls, issues, NothingBound()) for cls in (Notes, StrictNotes, Labels)]
    issues.raise_if_any()
    return [plan for plan in found if plan is not None]


@pytest.fixture(params=STORES)
async def api(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Api]:
    async with serve(make_store(request.param, tmp_path), plans=plans(), models=(Note, Label)) as served:
        yield served


async def noted(api: Api, text: str = "a") -> str:
    """The path of a new note, whose version is 1."""
    answer = await api.client.post("/notes", json={"text": text})
    assert (answer.status_code, answer.headers["etag"], answer.json()["version"]) == (201, '"1"', 1)
    path: str = answer.headers["location"]
    return path


async def test_every_answer_of_a_row_has_its_version_as_tag(api: Api) -> None:
    path = await noted(api)
    answers = [
        await api.client.get(path),
        await api.client.head(path),
        await api.client.patch(path, json={"text": "b"}),
        await api.client.post(f"{path}/vote"),
        await api.client.get(path),
        await api.client.post(f"{path}/copy"),
    ]
    assert [answer.headers["etag"] for answer in answers] == ['"1"', '"1"', '"2"', '"3"', '"3"', '"1"']
    assert answers[4].json() == {"id": 1, "text": "b", "votes": 1, "version": 3, "deleted_at": None}


async def test_a_list_and_a_row_without_version_have_no_tag(api: Api) -> None:
    path = await noted(api)
    await api.client.post("/labels", json={"name": "a"})
    for url in ("/notes", "/labels/a", "/labels"):
        assert "etag" not in (await api.client.get(url)).headers
    assert (await api.client.delete(path)).status_code == 204


async def test_a_change_of_another_version_is_refused(api: Api) -> None:
    path = await noted(api)
    await api.client.patch(path, json={"text": "b"})
    for method, url, body in (("PATCH", path, {"text": "c"}), ("DELETE", path, None), ("POST", f"{path}/vote", None)):
        answer = await api.client.request(method, url, json=body, headers={"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["code"]) == (412, "LOOM-PRECONDITION")
    assert (await api.client.get(path)).json()["text"] == "b"


@pytest.mark.parametrize("tag", ['"1"', "*", '"7x", "1" , W/"9"', '"nonsense","1"'])
async def test_the_expected_version_is_changed(api: Api, tag: str) -> None:
    path = await noted(api)
    answer = await api.client.patch(path, json={"text": "b"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (await api.client.delete(path, headers={"If-Match": '"2"'})).status_code == 204
    assert (await api.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "tag", ['W/"1"', '"0"', '"01"', '"1a"', '""', '"99999999999999999999"', '"9999999999999999999"']
)
async def test_a_tag_that_no_version_has_matches_nothing(api: Api, tag: str) -> None:
    """A weak one included: the comparison is the strong one."""
    path = await noted(api)
    answer = await api.client.patch(path, json={"text": "b"}, headers={"If-Match": tag})
    assert answer.status_code == 412
    assert (await api.client.get(path)).json()["text"] == "a"


@pytest.mark.parametrize("tag", ["1", '"1', '1"', "", '"a" "b"', '"1" W/', "'1'", '*, "1"', '"1", "2"'])
async def test_what_is_no_tag_is_told_so(api: Api, tag: str) -> None:
    path = await noted(api)
    answer = await api.client.patch(path, json={"text": "b"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"]) == (400, "LOOM-MALFORMED")
    assert "If-Match" in answer.json()["detail"]
    if tag != '"1", "2"':
        for query in ("", "?fields=text"):
            answer = await api.client.get(path + query, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.json()["code"]) == (400, "LOOM-MALFORMED")
    assert (await api.client.get(path)).json()["text"] == "a"


async def test_a_row_that_is_not_there_is_not_there_whatever_is_expected(api: Api) -> None:
    for tag in ('"1"', "*"):
        answer = await api.client.patch("/notes/9", json={"text": "b"}, headers={"If-Match": tag})
        assert answer.status_code == 404


async def test_what_the_client_has_is_not_sent_again(api: Api) -> None:
    path = await noted(api)
    for tag in ('"1"', 'W/"1"', "*", '"0", "1"'):
        for method in ("GET", "HEAD"):
            answer = await api.client.request(method, path, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
            assert "content-type" not in answer.headers
    await api.client.patch(path, json={"text": "b"})
    answer = await api.client.get(path, headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.json()["text"], answer.headers["etag"]) == (200, "b", '"2"')


async def test_an_interface_may_ask_for_the_version(api: Api) -> None:
    await noted(api)
    for method, body in (("PATCH", {"text": "b"}), ("DELETE", None)):
        answer = await api.client.request(method, "/strict/1", json=body)
        assert (answer.status_code, answer.json()["code"]) == (428, "LOOM-REST-IF-MATCH")
        assert answer.json()["title"] == "Precondition Required"
    answer = await api.client.patch("/strict/1", json={"text": "b"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    # Nothing that could be overwritten: no version to know.
    assert (await api.client.post("/strict", json={"text": "c"})).status_code == 201


async def test_a_condition_that_cannot_be_held_does_nothing(api: Api) -> None:
    """A model without versions, and an operation that does not look at them: never ignored."""
    path = await noted(api)
    await api.client.post("/labels", json={"name": "a", "color": "red"})
    refused = [
        await api.client.patch("/labels/a", json={"color": "blue"}, headers={"If-Match": '"1"'}),
        await api.client.delete("/labels/a", headers={"If-Match": '"1"'}),
        await api.client.post(f"{path}/copy", headers={"If-Match": '"1"'}),
    ]
    assert [answer.status_code for answer in refused] == [412, 412, 412]
    assert (await api.client.get("/labels/a")).json()["color"] == "red"
    assert (await api.client.patch("/labels/a", json={"color": "blue"}, headers={"If-Match": "*"})).status_code == 200


async def test_the_version_is_no_field_that_a_client_may_send(api: Api) -> None:
    path = await noted(api)
    for name, value in (("version", 7), ("deleted_at", "2013-01-01T00:00:00Z")):
        assert (await api.client.post("/notes", json={"text": "a", name: value})).status_code == 422
        assert (await api.client.patch(path, json={name: value})).status_code == 422


async def test_of_many_writers_exactly_one_makes_each_version(api: Api) -> None:
    """Each reads, and sends back the tag that it got: no vote is lost."""
    path = await noted(api)
    # The contract of stores has 200 of them on each; a database below all of HTTP takes its time.
    writers = 200 if isinstance(api.store, MemoryPersistence) else 50
    won: list[str] = []
    places = asyncio.Semaphore(4)

    async def write() -> None:
        while True:
            async with places:
                seen = await api.client.get(path)
                change = {"votes": seen.json()["votes"] + 1}
                answer = await api.client.patch(path, json=change, headers={"If-Match": seen.headers["etag"]})
                assert answer.status_code in (200, 412), answer.text
                if answer.status_code == 200:
                    won.append(answer.headers["etag"])
                    return

    await asyncio.gather(*(write() for _ in range(writers)))
    assert sorted(won) == sorted(f'"{version}"' for version in range(2, writers + 2))
    assert (await api.client.get(path)).json()["votes"] == writers


def test_all_of_it_is_in_the_document() -> None:
    document = openapi_document(plans(), ApiInfo())
    row: dict[str, Any] = document["paths"]["/notes/{id}"]
    strict: dict[str, Any] = document["paths"]["/strict/{id}"]
    assert conditions(row["get"]) == {"If-None-Match": False}
    assert conditions(row["patch"]) == conditions(row["delete"]) == {"If-Match": False}
    assert conditions(document["paths"]["/notes/{note_id}/vote"]["post"]) == {"If-Match": False}
    assert conditions(strict["patch"]) == {"If-Match": True}
    assert {"200", "304", "400", "404"} <= set(row["get"]["responses"])
    assert {"200", "400", "404", "412"} <= set(row["patch"]["responses"])
    assert "428" not in row["patch"]["responses"]
    assert "428" in strict["delete"]["responses"]
    assert "ETag" in row["get"]["responses"]["200"]["headers"]
    assert "ETag" in row["get"]["responses"]["304"]["headers"]
    assert "ETag" in document["paths"]["/notes"]["post"]["responses"]["201"]["headers"]
    assert "412" not in document["paths"]["/labels/{name}"]["patch"]["responses"]


def conditions(operation: dict[str, Any]) -> dict[str, bool]:
    """The conditional headers of an operation, and whether each must be there."""
    names = ("If-Match", "If-None-Match")
    return {each["name"]: each["required"] for each in operation.get("parameters", []) if each["name"] in names}


def test_an_expected_version_needs_a_model_that_keeps_one() -> None:
    class Paint(UseCase[Label, None]):
        async def execute(self, name: str, expected: int | None = ExpectedVersion()) -> None: ...

    class Painting(UseCase[Label, None]):
        async def execute(self, name: str, expected: int = ExpectedVersion()) -> None: ...

    class Wrong(RestInterface[Label]):
        routes = (
            RestRoute(use_case=Paint, method="POST", path="/{name}/paint"),
            RestRoute(use_case=Painting, method="POST", path="/{name}/painting"),
        )

    issues = Issues()
    assert compile_interface(Wrong, issues, NothingBound()) is None
    assert [issue.code for issue in issues.found] == ["LOOM-REST-030", "LOOM-CORE-130"]


def fuzzed_app() -> Any:
    store = MemoryPersistence(codec=JsonCodec(), clock=SystemClock())
    asyncio.run(store.start((Note, Label)))
    executor = Executor(persistence=store, resolver=NothingBound(), codec=JsonCodec(), clock=SystemClock())
    return FastapiShell(FastapiSettings(), JsonCodec()).build(plans(), executor)


NO_CACHE = SchemathesisConfig(cache=CacheConfig(enabled=False))
schema = schemathesis.openapi.from_asgi("/openapi.json", fuzzed_app(), config=NO_CACHE)


@schema.include(path_regex="^/(notes|strict)").parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_condition_has_an_answer_that_is_not_documented(case: schemathesis.Case[Any]) -> None:
    # What fits the schema is refused where the condition does not hold, which no schema can tell. For a header that is
    # missing there is a status of its own (RFC 6585).
    case.call_and_validate(excluded_checks=[positive_data_acceptance, missing_required_header])
