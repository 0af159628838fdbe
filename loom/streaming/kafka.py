"""The public face of Kafka for flows. Importing it needs no Kafka library; asking it for the broker does."""

from typing import TYPE_CHECKING, Any

from loom.adapters.kafka.settings import KafkaSettings
from loom.domain.errors import MissingExtra

if TYPE_CHECKING:
    from loom.adapters.kafka.topics import KafkaTopics

__all__ = ["KafkaSettings", "KafkaTopics"]


def __getattr__(name: str) -> Any:
    if name != "KafkaTopics":
        raise AttributeError(name)
    try:
        from loom.adapters.kafka.topics import KafkaTopics
    except ModuleNotFoundError as error:
        raise MissingExtra("kafka", "kafka") from error
    return KafkaTopics
