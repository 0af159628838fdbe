"""A few jobs, and everything that runs them in this process over the memory store."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import attrs

from loom.adapters.inline.jobs import InlineJobQueue
from loom.adapters.inline.settings_jobs import InlineJobsSettings
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.application.compile import Issues
from loom.application.jobs.compile import Changes, compile_jobs
from loom.application.jobs.declare import Delivery, Job
from loom.application.jobs.messages import messages_for
from loom.application.jobs.plan import JobPlan
from loom.application.jobs.runner import JobWorker
from loom.application.jobs.service import JobHandle, JobService
from loom.application.outbox.relay import Relay
from loom.application.outbox.senders import JobSender
from loom.application.usecase.executor import Executor
from loom.core import Context, Input, Repository, UseCase, command, entity, key
from loom.domain.events import OutboxKind
from loom.domain.query import Query
from loom.testing.clock import FakeClock
from tests.unit.usecase.store_models import Bound

T = TypeVar("T")


@entity(table="notes")
class Note:
    id: int = key(autoincrement=True)
    text: str
    correlation: str = ""


@command
class WriteNote:
    text: str


class Journal:
    """What tests look at and interfere with: who ran, and what each attempt does."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self.failures: list[BaseException] = []
        self.started = asyncio.Event()

    def attempt(self, text: str) -> None:
        self.attempts.append(text)
        self.started.set()
        if self.failures:
            raise self.failures.pop(0)


class Write(Job[int]):
    """Stores a note, then fails where the journal says so."""

    retries = 2

    def __init__(self, notes: Repository[Note], journal: Journal, context: Context) -> None:
        self.notes = notes
        self.journal = journal
        self.context = context

    async def execute(self, cmd: WriteNote = Input()) -> int:
        note = await self.notes.create({"text": cmd.text, "correlation": self.context.correlation_id})
        self.journal.attempt(cmd.text)
        return note.id


class WriteOnce(Write):
    retries = 0
    delivery = Delivery.AT_MOST_ONCE


class Forever(Job[None]):
    """Never ends by itself."""

    timeout = 0.05

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    async def execute(self) -> None:
        self.journal.attempt("forever")
        await asyncio.Event().wait()


class Unreadable(Job[Any]):
    """Returns what no codec can write."""

    async def execute(self) -> Any:
        return object()


class Order(UseCase[Note, JobHandle[int]]):
    """Dispatches a job inside its own transaction, and may fail after that."""

    def __init__(self, jobs: JobService) -> None:
        self.jobs = jobs

    async def execute(self, fail: bool, cmd: WriteNote = Input()) -> JobHandle[int]:
        handle = await self.jobs.dispatch(Write, cmd)
        if fail:
            raise RuntimeError("changed my mind")
        return handle


class RunsInside(UseCase[Note, int]):
    """Runs a job as a part of itself."""

    def __init__(self, jobs: JobService) -> None:
        self.jobs = jobs

    async def execute(self, cmd: WriteNote = Input()) -> int:
        return await self.jobs.run(Write, cmd)


JOBS = (Write, WriteOnce, Forever, Unreadable)


@attrs.define(eq=False)
class Shop:
    """All parts of a process that dispatches and runs jobs."""

    journal: Journal
    clock: FakeClock
    store: MemoryPersistence
    executor: Executor
    plans: dict[str, JobPlan]
    queue: InlineJobQueue
    worker: JobWorker
    jobs: JobService
    relay: Relay

    async def settle(self) -> None:
        """Relay what was committed and run it, with every further attempt."""
        await self.relay.run_until_empty()
        await self.queue.drain()

    async def notes(self) -> list[Note]:
        async with self.executor.open_scope(read_only=True) as scope:
            return list((await scope.repository(Note).list(Query(limit=None))).items)


async def open_shop(changes: dict[str, Changes] | None = None) -> Shop:
    """A shop that is started; its queue must be stopped."""
    journal, clock, codec = Journal(), FakeClock(), JsonCodec()
    store = MemoryPersistence(codec=codec, clock=clock)
    await store.start([Note])
    executor = Executor(persistence=store, resolver=Bound(journal), codec=codec, clock=clock)
    issues = Issues()
    plans = compile_jobs(JOBS, issues, executor.resolver, changes)
    issues.raise_if_any()
    for plan in plans.values():
        executor.adopt(plan.use_case)
    queue = InlineJobQueue(InlineJobsSettings(), clock=clock)
    worker = JobWorker(executor, plans, queue)
    await queue.start(worker)
    sender = JobSender(queue, messages_for(plans))
    relay = Relay(store=store.relay_store(), senders={OutboxKind.JOB: sender}, clock=clock)
    return Shop(journal, clock, store, executor, plans, queue, worker, JobService(executor), relay)
