"""The API of tenants' notes over a store, in this process, with fixed tokens: what the tests of security talk to."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx2

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell, Surroundings
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.metrics import MemoryMetrics
from loom.adapters.memory.security import MemoryAuthenticator
from loom.adapters.system.clock import SystemClock
from loom.application.rest.grants import GrantsAuthorizer
from loom.application.rest.plan import InterfacePlan
from loom.application.usecase.executor import Executor
from loom.core import Principal
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from tests.unit.rest.rest_shop import NothingBound, compiled
from tests.unit.rest.tenants import INTERFACES, OURS, THEIRS, Draft, Note

HOLDERS = {
    "ann": Principal(subject="ann", claims={"tenant_id": str(OURS)}, grants=frozenset({"drafts:use"})),
    "bob": Principal(subject="bob", claims={"tenant_id": str(THEIRS)}),
    "root": Principal(subject="root", grants=frozenset({"admin", "drafts:use"})),
}


def as_(holder: str) -> dict[str, str]:
    """The headers of a holder."""
    return {"authorization": f"Bearer {holder}"}


@attrs.frozen
class Tenants:
    """A client, the store behind the API, and what was counted."""

    client: httpx2.AsyncClient
    store: Persistence
    metrics: MemoryMetrics


@functools.cache
def _plans(interfaces: tuple[type[RestInterface[Any]], ...]) -> list[InterfacePlan]:
    return compiled(interfaces)


@asynccontextmanager
async def serve_tenants(
    store: Persistence,
    settings: FastapiSettings | None = None,
    interfaces: tuple[type[RestInterface[Any]], ...] = INTERFACES,
    models: Iterable[type] = (Note, Draft),
) -> AsyncIterator[Tenants]:
    """Serve interfaces over a store to the holders."""
    codec, metrics = JsonCodec(), MemoryMetrics()
    executor = Executor(persistence=store, resolver=NothingBound(), codec=codec, clock=SystemClock())
    around = Surroundings(authenticator=MemoryAuthenticator(HOLDERS), authorizer=GrantsAuthorizer(), metrics=metrics)
    app = FastapiShell(settings or FastapiSettings(), codec).build(_plans(interfaces), executor, around=around)
    await store.start(list(models))
    try:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://notes") as client:
            yield Tenants(client, store, metrics)
    finally:
        await store.stop()
