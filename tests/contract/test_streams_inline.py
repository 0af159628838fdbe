"""The inline engine keeps the contract of stream engines, over memory and over Kafka."""

import pytest

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.adapters.system.clock import SystemClock
from loom.ports.transport import Topics
from loom.testing.contracts.streaming import StreamContract
from loom.testing.contracts.streaming_batches import StreamBatchContract
from loom.testing.contracts.streaming_failures import StreamFailureContract
from loom.testing.contracts.streaming_outages import StreamOutageContract
from loom.testing.contracts.streaming_results import StreamResultContract
from tests.contract.kafka_shared import SharedKafka, shared_kafka

__all__ = ["shared_kafka"]


class OnMemory:
    def make_engine(self) -> InlineStreamEngine:
        return InlineStreamEngine(InlineStreamingSettings(poll_seconds=0.02))

    def make_topics(self) -> Topics:
        return MemoryTopics(MemoryTopicsSettings(), clock=SystemClock())


class OnKafka(OnMemory):
    kafka: SharedKafka

    @pytest.fixture(autouse=True)
    def _kafka(self, shared_kafka: SharedKafka) -> None:
        self.kafka = shared_kafka

    def make_topics(self) -> Topics:
        return self.kafka


class TestInlineOnMemory(OnMemory, StreamContract):
    pass


class TestInlineFailuresOnMemory(OnMemory, StreamFailureContract):
    pass


class TestInlineBatchesOnMemory(OnMemory, StreamBatchContract):
    pass


class TestInlineResultsOnMemory(OnMemory, StreamResultContract):
    pass


class TestInlineOutagesOnMemory(OnMemory, StreamOutageContract):
    pass


@pytest.mark.kafka
class TestInlineOnKafka(OnKafka, StreamContract):
    pass


@pytest.mark.kafka
class TestInlineFailuresOnKafka(OnKafka, StreamFailureContract):
    pass


@pytest.mark.kafka
class TestInlineOutagesOnKafka(OnKafka, StreamOutageContract):
    pass
