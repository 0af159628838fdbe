"""A worker with one job over SQLite and Redis: ``celery -A tests.integration.celery_shop worker``.

The job says in a file what it does, and waits for another file before it ends, so that a test can kill it in between.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs

from loom.adapters.celery.app import build_app
from loom.adapters.celery.queue import CeleryJobQueue
from loom.adapters.celery.settings import CelerySettings
from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy import provide as sqlalchemy
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.system.clock import SystemClock
from loom.application.compile import Issues
from loom.application.jobs.compile import compile_jobs
from loom.application.jobs.declare import Job
from loom.application.jobs.messages import messages_for
from loom.application.jobs.plan import JobPlan
from loom.application.jobs.runner import JobWorker
from loom.application.jobs.service import JobService
from loom.application.outbox.relay import Relay
from loom.application.outbox.senders import JobSender
from loom.application.usecase.executor import Executor
from loom.core import Input, Repository, command, entity, key
from loom.domain.events import OutboxKind
from loom.ports.jobs import JobRunner
from loom.ports.persistence import Persistence

T = TypeVar("T")
FOLDER = "LOOM_TEST_FOLDER"
CELERY = "LOOM_TEST_CELERY"


@entity(table="done")
class Done:
    id: int = key(autoincrement=True)
    name: str


@command
class Work:
    name: str
    gate: str = ""


@attrs.frozen
class Folder:
    """Where a worker and the test meet."""

    path: Path

    @property
    def journal(self) -> list[str]:
        file = self.path / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def note(self, line: str) -> None:
        with (self.path / "journal").open("a") as file:
            file.write(line + "\n")

    def open_gate(self, name: str) -> None:
        (self.path / name).touch()

    async def wait_for_gate(self, name: str) -> None:
        while name and not (self.path / name).exists():  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.02)


class Perform(Job[str]):
    """Stores a row, and waits in the middle of its transaction where it is told to."""

    timeout = 60

    def __init__(self, rows: Repository[Done], folder: Folder) -> None:
        self.rows = rows
        self.folder = folder

    async def execute(self, cmd: Work = Input()) -> str:
        self.folder.note(f"begun {cmd.name}")
        await self.rows.create({"name": cmd.name})
        await self.folder.wait_for_gate(cmd.gate)
        self.folder.note(f"ended {cmd.name}")
        return cmd.name.upper()


@attrs.frozen
class Services:
    """The container of this application: one thing."""

    folder: Folder

    def knows(self, wanted: type) -> bool:
        return wanted is Folder

    def resolve(self, wanted: type[T]) -> T:
        found: Any = self.folder
        return found  # type: ignore[no-any-return]


@attrs.frozen
class Side:
    """What the sending process and the worker have in common."""

    store: Persistence
    executor: Executor
    plans: dict[str, JobPlan]
    queue: CeleryJobQueue

    @property
    def jobs(self) -> JobService:
        return JobService(self.executor)

    async def relay(self) -> None:
        """Send what was dispatched to Redis."""
        sender = JobSender(self.queue, messages_for(self.plans))
        relay = Relay(store=self.store.relay_store(), senders={OutboxKind.JOB: sender}, clock=SystemClock())
        await relay.run_until_empty()


@asynccontextmanager
async def open_side(folder: Folder, settings: CelerySettings) -> AsyncIterator[Side]:
    codec, clock = JsonCodec(), SystemClock()
    url = f"sqlite+aiosqlite:///{folder.path / 'shop.db'}"
    store = sqlalchemy.provide(SqlalchemySettings(url=url), codec=codec, clock=clock)
    await store.start([Done])
    executor = Executor(persistence=store, resolver=Services(folder), codec=codec, clock=clock)
    issues = Issues()
    plans = compile_jobs([Perform], issues, executor.resolver)
    issues.raise_if_any()
    try:
        yield Side(store, executor, plans, CeleryJobQueue(settings))
    finally:
        await store.stop()


@asynccontextmanager
async def _runner(folder: Folder, settings: CelerySettings) -> AsyncIterator[JobRunner]:
    async with open_side(folder, settings) as side:
        yield JobWorker(side.executor, side.plans, side.queue)
    folder.note("closed")


if FOLDER in os.environ:
    _settings = CelerySettings(**json.loads(os.environ[CELERY]))
    app = build_app(_settings, lambda: _runner(Folder(Path(os.environ[FOLDER])), _settings))
