"""Flows as processes on Kafka: one that is told to stop drains, and one that is killed loses nothing."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.ports.streaming import FlowReport
from loom.streaming import StreamingRunner
from loom.testing.contracts.streaming_bench import Bench, FaultyTopics
from tests.integration.flow_process import Tick, ticking
from tests.servers.process import Process

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
COUNT = 2000
# A member that was killed counts as gone after this long.
OPTIONS = {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300", "fetch.wait.max.ms": "20"}
CONFIG = """\
transport: {{adapter: kafka, brokers: "{brokers}", options: {options}}}
streaming: {{adapter: {engine}, poll_records: 50}}
"""


@attrs.define(eq=False)
class Station:
    """The topics of one test and the process that works on them."""

    config: Path
    bench: Bench
    process: Process

    @classmethod
    def at(cls, brokers: str, engine: str, folder: Path) -> "Station":
        topics = KafkaTopics(KafkaSettings(brokers=brokers, options=OPTIONS))
        bench = Bench(InlineStreamEngine(InlineStreamingSettings()), FaultyTopics(topics), patience=60)
        config = folder / "flow.yaml"
        config.write_text(CONFIG.format(brokers=brokers, options=json.dumps(OPTIONS), engine=engine))
        command = [sys.executable, "-m", "tests.integration.flow_process", str(config), bench.prefix]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return cls(config, bench, Process("flow", command, folder / "flow.log", env=env))

    async def begin(self) -> None:
        """Fill the source, start the process, and wait until it is in the middle of its work."""
        await self.bench.ensure("in", "out")
        await self.bench.send("in", [Tick(id=n) for n in range(COUNT)])
        self.process.start(ready=lambda: True, timeout=30)
        await self.bench.wait_for("out", 100)

    async def finish(self) -> FlowReport:
        """Run what is left of the work in this process."""
        return await StreamingRunner.from_yaml(ticking(self.bench.prefix), self.config).run_until_idle()

    async def ids(self) -> list[int]:
        return [tick.id for tick in await self.bench.read("out", Tick)]


@pytest.fixture(params=["inline", "bytewax"])
def station(request: pytest.FixtureRequest, apache_kafka_brokers: str, tmp_path: Path) -> Iterator[Station]:
    if request.param == "bytewax":
        pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")
    made = Station.at(apache_kafka_brokers, request.param, tmp_path)
    yield made
    made.process.stop()


async def test_a_flow_that_is_told_to_stop_drains(station: Station) -> None:
    """It ends by itself, has written all that it read, and the next run does none of it again."""
    await station.begin()
    station.process.stop()
    report = json.loads(station.process.log.read_text().splitlines()[-1])
    assert 100 <= report["read"] < COUNT
    assert report["written"] == {station.bench.name("out"): report["read"]}
    assert (await station.finish()).read == COUNT - report["read"]
    assert await station.ids() == list(range(COUNT))
    await station.bench.topics.close()


async def test_a_flow_that_is_killed_loses_nothing(station: Station) -> None:
    """The next run goes on behind the last commit: everything is written, and only the last few records twice."""
    await station.begin()
    station.process.kill()
    written = len(await station.ids())
    report = await station.finish()
    ids = await station.ids()
    assert set(ids) == set(range(COUNT))
    assert written + report.read == len(ids)
    assert report.read < COUNT
    await station.bench.topics.close()
