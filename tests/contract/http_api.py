"""The shop's API over a store, served in this process: what the HTTP tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx2
from fastapi import FastAPI

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.system.clock import SystemClock
from loom.application.rest.plan import InterfacePlan
from loom.application.usecase.executor import Executor
from loom.ports.persistence import Persistence
from tests.unit.rest.rest_shop import NothingBound, Product, Rate, compiled

MODELS = (Product, Rate)


def make_store(name: str, folder: Path) -> Persistence:
    """The store of that name, empty."""
    codec, clock = JsonCodec(), SystemClock()
    if name == "memory":
        return MemoryPersistence(codec=codec, clock=clock)
    return provide(SqlalchemySettings(url=f"sqlite+aiosqlite:///{folder}/shop.db"), codec=codec, clock=clock)


STORES = ("memory", "sqlite")


@attrs.frozen
class Api:
    """A client of the API and the store behind it."""

    app: FastAPI
    client: httpx2.AsyncClient
    store: Persistence
    executor: Executor


@asynccontextmanager
async def serve(
    store: Persistence,
    settings: FastapiSettings | None = None,
    plans: Sequence[InterfacePlan] | None = None,
    models: Sequence[type] = MODELS,
) -> AsyncIterator[Api]:
    """Serve the shop's API, or other interfaces, over a store. An exception that leaves the application fails the
    test."""
    codec = JsonCodec()
    executor = Executor(persistence=store, resolver=NothingBound(), codec=codec, clock=SystemClock())
    app = FastapiShell(settings or FastapiSettings(title="shop", version="1"), codec).build(
        plans or compiled(), executor
    )
    await store.start(models)
    try:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
            yield Api(app, client, store, executor)
    finally:
        await store.stop()
