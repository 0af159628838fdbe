"""Celery workers that are killed in the middle of a job, and messages that are delivered twice."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import attrs
import pytest

from loom.adapters.celery.settings import CelerySettings
from loom.core import Query
from loom.ports.jobs import JobState
from tests.integration.celery_shop import CELERY, FOLDER, Done, Folder, Perform, Side, Work, open_side
from tests.servers.process import Process

pytestmark = [pytest.mark.redis, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@attrs.define
class Workers:
    """Worker processes of one test, each ended by its own process id."""

    folder: Folder
    settings: CelerySettings
    processes: list[Process] = attrs.field(factory=list)

    def start(self, *options: str) -> Process:
        log = self.folder.path / f"worker{len(self.processes)}.log"
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
        command = [sys.executable, "-m", "celery", "-A", "tests.integration.celery_shop", "worker", *quiet, *options]
        env = {**os.environ, "PYTHONPATH": str(ROOT), CELERY: json.dumps(attrs.asdict(self.settings))}
        env[FOLDER] = str(self.folder.path)
        process = Process("Celery worker", command, log, env=env)
        self.processes.append(process)
        process.start(ready=lambda: "ready." in log.read_text(), timeout=PATIENCE)
        return process

    def deliveries(self, job_id: uuid.UUID) -> int:
        """How often workers were given a job."""
        line = f"loom.run_job[{job_id}] received"
        return sum(process.log.read_text().count(line) for process in self.processes)


@pytest.fixture
def workers(redis_url: str, tmp_path: Path) -> Iterator[Workers]:
    settings = CelerySettings(
        broker_url=redis_url,
        visibility_timeout=2,
        restore_interval=0.2,
        concurrency=2,
        key_prefix=f"{uuid.uuid4().hex}:",
    )
    made = Workers(Folder(tmp_path), settings)
    yield made
    for process in made.processes:
        process.stop()


@pytest.fixture
async def side(workers: Workers) -> AsyncIterator[Side]:
    async with open_side(workers.folder, workers.settings) as opened:
        yield opened


async def test_a_killed_worker_loses_no_job(workers: Workers, side: Side) -> None:
    """The job that it was in the middle of runs again, those that waited run, and nothing runs twice to its end."""
    first = workers.start("--concurrency", "1")
    names = ["killed", *(f"quick{n}" for n in range(10))]
    handles = [await side.jobs.dispatch(Perform, Work(name=name, gate=f"gate-{name}")) for name in names]
    await side.relay()
    await until(lambda: "begun killed" in workers.folder.journal)
    first.kill()
    for name in names:
        workers.folder.open_gate(f"gate-{name}")
    workers.start()
    results = [await handle.result(timeout=PATIENCE) for handle in handles]
    assert results == [name.upper() for name in names]
    assert workers.folder.journal.count("begun killed") == 2
    assert sorted(await stored(side)) == sorted(names)


async def test_a_job_that_runs_is_not_run_a_second_time_at_once(workers: Workers, side: Side) -> None:
    """The broker gives up on the worker too early: the second delivery finds the claim of the first."""
    workers.start()
    handle = await side.jobs.dispatch(Perform, Work(name="slow", gate="open"))
    await side.relay()
    await until(lambda: workers.deliveries(handle.id) >= 2)
    workers.folder.open_gate("open")
    assert await handle.result(timeout=PATIENCE) == "SLOW"
    await redelivered(workers, handle.id, side)
    assert workers.folder.journal.count("begun slow") == 1
    assert await stored(side) == ["slow"]
    assert (await handle.status()).result == b'"SLOW"'


async def test_a_worker_that_is_asked_to_stop_finishes_its_job(workers: Workers, side: Side) -> None:
    """SIGTERM takes no further job, waits for the one that runs, and closes the kernel behind it."""
    worker = workers.start()
    handle = await side.jobs.dispatch(Perform, Work(name="last", gate="open"))
    await side.relay()
    await until(lambda: "begun last" in workers.folder.journal)
    stopping = asyncio.create_task(asyncio.to_thread(worker.stop, 30))
    await until(lambda: "Warm shutdown" in worker.log.read_text())
    workers.folder.open_gate("open")
    await stopping
    assert (await handle.status()).state is JobState.SUCCEEDED
    assert workers.folder.journal == ["begun last", "ended last", "closed"]


async def test_a_forked_pool_runs_jobs_too(workers: Workers, side: Side) -> None:
    """Each process of the pool opens its own kernel after the fork, and closes it."""
    worker = workers.start("--pool", "prefork", "--concurrency", "2")
    handles = [await side.jobs.dispatch(Perform, Work(name=f"job{n}")) for n in range(6)]
    await side.relay()
    assert [await handle.result(timeout=PATIENCE) for handle in handles] == [f"JOB{n}" for n in range(6)]
    await asyncio.to_thread(worker.stop)
    assert "closed" in workers.folder.journal


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.02)


async def redelivered(workers: Workers, job_id: uuid.UUID, side: Side) -> None:
    """Wait until every delivery of a job has been answered."""

    def answered() -> bool:
        line = f"loom.run_job[{job_id}] succeeded"
        return sum(process.log.read_text().count(line) for process in workers.processes) >= workers.deliveries(job_id)

    await until(answered)


async def stored(side: Side) -> list[str]:
    async with side.executor.open_scope(read_only=True) as scope:
        return [row.name for row in (await scope.repository(Done).list(Query(limit=None))).items]
