"""Binds the ``Topics`` port to Kafka."""

from __future__ import annotations

from loom.adapters.kafka.options import check_options
from loom.adapters.kafka.settings import KafkaSettings
from loom.adapters.kafka.topics import KafkaTopics
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: KafkaSettings, *, codec: Codec, clock: Clock) -> KafkaTopics:
    """Topics on the cluster that the settings name. Records hold bytes already, and the brokers keep the time.

    Raises:
        ConfigError: options that librdkafka does not take; nothing has been connected yet.
    """
    check_options(settings)
    return KafkaTopics(settings)
