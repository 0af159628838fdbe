"""The inline engine keeps the contract of stream engines, over memory and over Kafka."""

import pytest

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.adapters.system.clock import SystemClock
from loom.ports.transport import Topics
from loom.testing.contracts.streaming import StreamContract
from loom.testing.contracts.streaming_failures import StreamFailureContract


class OnMemory:
    def make_engine(self) -> InlineStreamEngine:
        return InlineStreamEngine(InlineStreamingSettings(poll_seconds=0.02))

    def make_topics(self) -> Topics:
        return MemoryTopics(MemoryTopicsSettings(), clock=SystemClock())


class OnKafka(OnMemory):
    brokers: str

    @pytest.fixture(autouse=True)
    def _broker(self, apache_kafka_brokers: str) -> None:
        self.brokers = apache_kafka_brokers

    def make_topics(self) -> Topics:
        return KafkaTopics(KafkaSettings(brokers=self.brokers))


class TestInlineOnMemory(OnMemory, StreamContract):
    pass


class TestInlineFailuresOnMemory(OnMemory, StreamFailureContract):
    pass


@pytest.mark.kafka
class TestInlineOnKafka(OnKafka, StreamContract):
    pass


@pytest.mark.kafka
class TestInlineFailuresOnKafka(OnKafka, StreamFailureContract):
    pass
