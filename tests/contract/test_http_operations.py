"""What an operator relies on: deadlines that undo, limits on bodies, origins, traces, metrics."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from loom.adapters.fastapi.settings import CorsSettings, FastapiSettings
from loom.config.kernel import Kernel
from loom.core import Query, UseCase, event
from loom.ports.persistence import Persistence
from loom.rest import RestInterface, RestRoute, app_of
from tests.contract.http_api import STORES, make_store
from tests.contract.http_tenants import as_, serve_tenants
from tests.unit.rest import rest_shop
from tests.unit.rest.tenants import INTERFACES, OURS, Note

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@event(topic="slow")
class Begun:
    text: str


class WriteAndWait(UseCase[Note, None]):
    """Write a row and an event, and then wait for what never comes."""

    async def execute(self) -> None:
        await self.main_repo.create({"tenant_id": OURS, "text": "half done"})
        self.emit(Begun(text="half done"))
        await asyncio.Event().wait()


class Emit(UseCase[None, None]):
    """Emit an event."""

    async def execute(self) -> None:
        self.emit(Begun(text="done"))


class SlowInterface(RestInterface[Note]):
    prefix = "/slow"
    public = True
    routes = (
        RestRoute(use_case=WriteAndWait, method="POST", path="/write"),
        RestRoute(use_case=Emit, method="POST", path="/emit"),
    )


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Persistence:
    return make_store(request.param, tmp_path)


def serving(store: Persistence, **settings: Any) -> Any:
    return serve_tenants(store, FastapiSettings(**settings), (*INTERFACES, SlowInterface))


async def test_a_request_that_takes_too_long_is_undone(store: Persistence) -> None:
    async with serving(store, request_timeout=1.0) as api:
        answer = await api.client.post("/slow/write")
        assert (answer.status_code, answer.json()["code"]) == (504, "LOOM-DEADLINE")
        async with store.begin(read_only=True) as unit:
            assert (await unit.repository(Note).list(Query())).items == ()
        assert (await store.relay_store().counts())["pending"] == 0
        # The store is as good as before: the next writer is not held up.
        created = await api.client.post("/notes", json={"text": "next"}, headers=as_("ann"))
        assert created.status_code == 201


async def test_a_deadline_is_in_the_document_where_there_is_one(store: Persistence) -> None:
    for timeout, documented in ((1.0, True), (None, False)):
        async with serving(store, request_timeout=timeout) as api:
            responses = (await api.client.get("/openapi.json")).json()["paths"]["/notes"]["get"]["responses"]
            assert ("504" in responses) is documented


async def test_a_body_that_does_not_say_how_long_it_is_is_limited_too(store: Persistence) -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1_000):
            taken.append(number)
            yield b" " * 100

    async with serving(store, max_body_bytes=1_000) as api:
        headers = {"content-type": "application/json", **as_("ann")}
        answer = await api.client.post("/notes", content=endless(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "LOOM-REST-BODY")
    # Refused as soon as it is too long, not when it ends.
    assert len(taken) < 20


async def test_pages_of_named_origins_may_call() -> None:
    cors = CorsSettings(origins=("https://shop.example",), credentials=True)
    async with serving(make_store("memory", Path()), cors=cors) as api:
        asked = {"access-control-request-method": "PATCH", "access-control-request-headers": "authorization,if-match"}
        allowed = await api.client.options("/notes/1", headers={"origin": "https://shop.example", **asked})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
        assert "PATCH" in allowed.headers["access-control-allow-methods"]
        assert allowed.headers["access-control-allow-credentials"] == "true"
        other = await api.client.options("/notes/1", headers={"origin": "https://evil.example", **asked})
        assert "access-control-allow-origin" not in other.headers
        refused = await api.client.get("/notes", headers={"origin": "https://shop.example"})
        # A page can read why it was refused.
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://shop.example")
        assert "etag" in refused.headers["access-control-expose-headers"].lower()


async def test_without_origins_nothing_is_said_of_them(store: Persistence) -> None:
    async with serving(store) as api:
        answer = await api.client.get("/me/who", headers={"origin": "https://shop.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_credentials_do_not_go_to_everybody() -> None:
    with pytest.raises(ValueError, match="name the origins"):
        CorsSettings(origins=("*",), credentials=True)


async def test_a_trace_goes_in_and_out(store: Persistence) -> None:
    async with serving(store) as api:
        headers = {"traceparent": PARENT, "tracestate": "vendor=1"}
        answer = await api.client.post("/slow/emit", headers=headers)
        assert answer.headers["x-correlation-id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert answer.headers["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
        [sent] = await outbox(store)
        assert sent["tracestate"] == "vendor=1"
        assert sent["traceparent"] == answer.headers["traceparent"] != PARENT


async def test_a_request_without_a_trace_begins_one(store: Persistence) -> None:
    async with serving(store) as api:
        one, two = await api.client.post("/slow/emit"), await api.client.post("/slow/emit")
        ids = [answer.headers["traceparent"].split("-")[1] for answer in (one, two)]
        assert ids == [answer.headers["x-correlation-id"] for answer in (one, two)]
        assert ids[0] != ids[1]
        named = await api.client.post("/slow/emit", headers={"x-correlation-id": "abc", "traceparent": "nonsense"})
        assert named.headers["x-correlation-id"] == "abc"
        assert len(named.headers["traceparent"]) == 55


async def outbox(store: Persistence) -> list[dict[str, str]]:
    """The headers of what waits in the outbox."""
    claimed = await store.relay_store().claim(10, now=dt.datetime.now(dt.UTC), lease=dt.timedelta(minutes=1))
    return [dict(record.headers) for record in claimed]


async def test_requests_are_counted_by_their_templates(store: Persistence) -> None:
    async with serving(store) as api:
        for key in (1, 2, 3):
            await api.client.get(f"/notes/{key}", headers=as_("ann"))
        await api.client.get("/notes/1")
        await api.client.post("/notes", json={"text": "x"}, headers=as_("ann"))
        await api.client.request("BREW", "/notes")
        count = api.metrics.value
        assert count("http_requests", method="GET", route="/notes/{id}", status="404") == 3
        assert count("http_requests", method="GET", route="/notes/{id}", status="401") == 1
        assert count("http_requests", method="POST", route="/notes", status="201") == 1
        assert count("http_requests", method="OTHER", route="/notes", status="405") == 1
        assert count("http_request_duration_seconds", method="GET", route="/notes/{id}") == 4
        assert count("http_requests_in_flight") == 0
        shown = await api.client.get("/metrics")
        assert shown.headers["content-type"].startswith("text/plain")
        assert 'http_requests_total{method="POST",route="/notes",status="201"} 1' in shown.text


async def test_a_request_is_in_flight_until_it_is_answered(store: Persistence) -> None:
    async with serving(store, request_timeout=None) as api:
        waiting = asyncio.create_task(api.client.post("/slow/write"))
        for _ in range(1_000):
            if api.metrics.value("http_requests_in_flight") == 1:
                break
            await asyncio.sleep(0.01)
        assert api.metrics.value("http_requests_in_flight") == 1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert api.metrics.value("http_requests_in_flight") == 0
        assert api.metrics.value("http_requests", method="POST", route="/slow/write", status="499") == 1


def test_two_applications_of_one_process_are_counted_apart(tmp_path: Path) -> None:
    overrides = ["observability.metrics.enabled=true", "observability.log.format=silent"]
    apps = [app_of(Kernel.from_yaml(overrides=overrides, modules=[rest_shop])) for _ in range(2)]
    with TestClient(apps[0]) as one, TestClient(apps[1]) as two:
        one.get("/service/ping")
        counted = 'http_requests_total{method="GET",route="/service/ping",status="200"} 1.0'
        assert counted in one.get("/metrics").text
        assert counted not in two.get("/metrics").text
        assert "loom_outbox_pending 0.0" in two.get("/metrics").text
        assert 'loom_outbox_sent_total{kind="event"} 0.0' in two.get("/metrics").text


async def test_nothing_is_shown_unless_it_is_asked_for() -> None:
    with TestClient(app_of(Kernel.from_yaml(overrides=["observability.log.format=silent"]))) as client:
        assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "origin", ["shop.example", "https://shop.example/", "https://shop.example/app", "HTTPS://x", ""]
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin; write https:"):
        CorsSettings(origins=("https://shop.example", "capacitor://localhost", "http://x:8080", origin))
