"""The Bytewax engine keeps the contract of stream engines, over memory and over Kafka."""

import pytest

from loom.adapters.bytewax.settings import BytewaxSettings
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.adapters.system.clock import SystemClock
from loom.application.streaming.bind import BoundFlow
from loom.ports.streaming import StreamEngine
from loom.ports.transport import Topics
from loom.testing.contracts.streaming import StreamContract
from loom.testing.contracts.streaming_failures import StreamFailureContract

pytest.importorskip("bytewax", reason="bytewax has no wheel for this Python")


class OnMemory:
    def make_engine(self) -> StreamEngine[BoundFlow]:
        from loom.adapters.bytewax.engine import BytewaxStreamEngine

        return BytewaxStreamEngine(BytewaxSettings())

    def make_topics(self) -> Topics:
        return MemoryTopics(MemoryTopicsSettings(), clock=SystemClock())


class OnKafka(OnMemory):
    brokers: str

    @pytest.fixture(autouse=True)
    def _broker(self, apache_kafka_brokers: str) -> None:
        self.brokers = apache_kafka_brokers

    def make_topics(self) -> Topics:
        return KafkaTopics(KafkaSettings(brokers=self.brokers))


class TestBytewaxOnMemory(OnMemory, StreamContract):
    pass


class TestBytewaxFailuresOnMemory(OnMemory, StreamFailureContract):
    pass


@pytest.mark.kafka
class TestBytewaxOnKafka(OnKafka, StreamContract):
    pass


@pytest.mark.kafka
class TestBytewaxFailuresOnKafka(OnKafka, StreamFailureContract):
    pass
