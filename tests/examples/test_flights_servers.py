"""The flights example on PostgreSQL, Kafka, Redis, Celery and Bytewax: another YAML file and no other change."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.flights.catalogue import LoadCatalogue
from examples.flights.delays import NewDelay, ReportDelay
from examples.flights.flow import delays
from examples.flights.notify import NotifyOperations
from examples.flights.pipeline import FlightsPipeline, FlightYear
from examples.flights.summary import count
from examples.flights.traffic import late_flights
from loom.core import Kernel
from loom.etl import ETLRunner
from loom.ports.jobs import JobState
from loom.ports.persistence import Persistence
from loom.streaming import StreamingRunner
from tests.examples.flights_slice import write_slice
from tests.servers.process import Process

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "examples" / "flights" / "config"


@pytest.fixture
def config(
    fresh_postgres_url: str, kafka_brokers: str, clean_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Path]:
    """The files of the deployment; what differs from machine to machine is in the environment."""
    data = tmp_path / "data"
    data.mkdir()
    write_slice(data, days=2)
    own = tmp_path / "own.yaml"
    own.write_text(f"jobs: {{key_prefix: '{uuid.uuid4().hex}:'}}\n")
    monkeypatch.setenv("FLIGHTS_HOME", str(tmp_path))
    monkeypatch.setenv("FLIGHTS_DATA", str(data))
    monkeypatch.setenv("DATABASE_URL", fresh_postgres_url)
    monkeypatch.setenv("KAFKA_BROKERS", kafka_brokers)
    monkeypatch.setenv("REDIS_URL", clean_redis_url)
    return [CONFIG / "embedded.yaml", CONFIG / "servers.yaml", own]


@contextmanager
def celery_worker(config: list[Path], log: Path) -> Iterator[None]:
    """A worker process as an operator starts it."""
    command = [sys.executable, "-m", "celery", "-A", "loom.config.celery_worker", "worker", "--loglevel", "INFO"]
    files = os.pathsep.join(map(str, config))
    worker = Process("Celery worker", command, log, env={**os.environ, "LOOM_CONFIG": files, "PYTHONPATH": str(ROOT)})
    # Its banner: the example logs warnings alone. What is sent before it listens waits in Redis.
    worker.start(ready=lambda: "loom.run_job" in log.read_text(), timeout=60)
    try:
        yield
    finally:
        worker.stop()


async def all_succeeded(kernel: Kernel, expected: int) -> None:
    """Wait until so many notifications have succeeded."""
    store = kernel.resolve(Persistence)
    async with asyncio.timeout(60):
        succeeded = 0
        while succeeded < expected:
            await asyncio.sleep(0.1)
            succeeded = (await store.job_statuses().counts(NotifyOperations.__name__)).get(JobState.SUCCEEDED, 0)


@pytest.mark.postgres
@pytest.mark.kafka
@pytest.mark.redis
async def test_the_same_example_runs_on_servers_and_loses_nothing(config: list[Path], tmp_path: Path) -> None:
    kernel = Kernel.from_yaml(*config)
    ran = [kernel.config.adapters[port].adapter.name for port in ("persistence", "transport", "jobs", "streaming")]
    assert ran == ["sqlalchemy", "kafka", "celery", "bytewax"]
    lake = ETLRunner.of(kernel)
    lake.run(FlightsPipeline, FlightYear())
    flights = late_flights(lake.tables)
    majors = sum(flight["dep_delay"] >= 120 for flight in flights)
    async with kernel:
        loaded = await kernel.invoke(LoadCatalogue)
        state = lake.tables.state("flights")
        assert state is not None
        assert loaded["flights"] == state.rows > 3000
        for flight in flights:
            command = NewDelay(flight_id=flight["id"], minutes=flight["dep_delay"], reason="late aircraft")
            await kernel.invoke(ReportDelay, command)
        await kernel.drain()
        report = await StreamingRunner.of(delays, kernel, lifespan=kernel.lifespan).run_until_idle()
        assert report.read == len(flights)
        await kernel.drain()
        with celery_worker(config, tmp_path / "worker.log"):
            await all_succeeded(kernel, -(-majors // 25))
        summary = await count(kernel)
    assert summary.stored.reports == len(flights) > majors > 25
    assert summary.stored.major == majors
    assert set(summary.lost().values()) == {0}
