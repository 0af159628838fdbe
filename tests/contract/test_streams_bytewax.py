"""The Bytewax engine keeps the contract of stream engines, over memory and over Kafka."""

import pytest

from loom.adapters.bytewax.settings import BytewaxSettings
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.adapters.system.clock import SystemClock
from loom.application.streaming.bind import BoundFlow
from loom.ports.streaming import StreamEngine
from loom.ports.transport import Topics
from loom.testing.contracts.streaming import StreamContract
from loom.testing.contracts.streaming_batches import StreamBatchContract
from loom.testing.contracts.streaming_failures import StreamFailureContract
from loom.testing.contracts.streaming_outages import StreamOutageContract
from loom.testing.contracts.streaming_results import StreamResultContract
from tests.contract.kafka_shared import SharedKafka, shared_kafka

__all__ = ["shared_kafka"]

pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")


class OnMemory:
    def make_engine(self) -> StreamEngine[BoundFlow]:
        from loom.adapters.bytewax.engine import BytewaxStreamEngine

        return BytewaxStreamEngine(BytewaxSettings())

    def make_topics(self) -> Topics:
        return MemoryTopics(MemoryTopicsSettings(), clock=SystemClock())


class OnKafka(OnMemory):
    kafka: SharedKafka

    @pytest.fixture(autouse=True)
    def _kafka(self, shared_kafka: SharedKafka) -> None:
        self.kafka = shared_kafka

    def make_topics(self) -> Topics:
        return self.kafka


class TestBytewaxOnMemory(OnMemory, StreamContract):
    pass


class TestBytewaxFailuresOnMemory(OnMemory, StreamFailureContract):
    pass


class TestBytewaxBatchesOnMemory(OnMemory, StreamBatchContract):
    pass


class TestBytewaxResultsOnMemory(OnMemory, StreamResultContract):
    pass


class TestBytewaxOutagesOnMemory(OnMemory, StreamOutageContract):
    pass


@pytest.mark.kafka
class TestBytewaxOnKafka(OnKafka, StreamContract):
    pass


@pytest.mark.kafka
class TestBytewaxFailuresOnKafka(OnKafka, StreamFailureContract):
    pass


@pytest.mark.kafka
class TestBytewaxOutagesOnKafka(OnKafka, StreamOutageContract):
    pass
