"""Celery on a real Redis keeps the contract of job queues, with a worker in a process of its own."""

import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from loom.adapters.celery.queue import CeleryJobQueue
from loom.adapters.celery.settings import CelerySettings
from loom.ports.jobs import JobQueue, JobRunner
from loom.testing.contracts.jobs import JobQueueContract
from tests.contract.celery_forwarder import SETTINGS, SOCKET, served
from tests.servers.process import Process

pytestmark = pytest.mark.redis
ROOT = Path(__file__).parents[2]


@attrs.frozen
class Worker:
    settings: CelerySettings
    socket: str
    log: Path


def celery_command(module: str, *options: str) -> list[str]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
    return [sys.executable, "-m", "celery", "-A", module, "worker", *quiet, *options]


@pytest.fixture(scope="module")
def worker(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("celery")
    settings = CelerySettings(
        broker_url=redis_url,
        visibility_timeout=60,
        redelivery_delay=0.3,
        concurrency=JobQueueContract.slots,
        key_prefix=f"{uuid.uuid4().hex}:",
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), SETTINGS: json.dumps(attrs.asdict(settings))}
    made = Worker(settings, str(folder / "runner.sock"), folder / "worker.log")
    env[SOCKET] = made.socket
    process = Process("Celery worker", celery_command("tests.contract.celery_forwarder"), made.log, env=env)
    process.start(ready=lambda: "ready." in made.log.read_text(), timeout=60)
    yield made
    process.stop()


class TestCeleryJobQueue(JobQueueContract):
    worker: Worker

    @pytest.fixture(autouse=True)
    def _worker(self, worker: Worker) -> None:
        self.worker = worker

    @asynccontextmanager
    async def open_queue(self, runner: JobRunner) -> AsyncIterator[JobQueue]:
        queue = CeleryJobQueue(self.worker.settings)
        async with served(runner, self.worker.socket):
            await queue.start(runner)
            yield queue
            await queue.stop()
