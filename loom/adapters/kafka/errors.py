"""The one mapping from Kafka's errors to loom's."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from loom.domain.errors import EngineFailure, LoomError, NotFound, RecordRefused, Unavailable

# What librdkafka calls retriable is added to these by its own flag.
_UNAVAILABLE = frozenset(
    {
        *(KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._WAIT_COORD),
        *(KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT, KafkaError._TIMED_OUT_QUEUE),
        *(KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT),
        *(KafkaError.REQUEST_TIMED_OUT, KafkaError.NETWORK_EXCEPTION, KafkaError.BROKER_NOT_AVAILABLE),
        *(KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR),
        *(KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.KAFKA_STORAGE_ERROR),
        *(KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND),
        # Refused for the sake of another record that was sent along.
        KafkaError._INVALID_DIFFERENT_RECORD,
    }
)
_UNKNOWN_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})
_RECORD = frozenset(
    {
        *(KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE),
        *(KafkaError.INVALID_RECORD, KafkaError.INVALID_TIMESTAMP),
    }
)
_REFUSED = frozenset(
    {
        *(KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL),
        *(KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED),
        *(KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
    }
)


def error_of(error: KafkaError, doing: str, *, brokers: str, topic: str = "") -> LoomError:
    """The loom error for a Kafka error, with Kafka's own chained as its cause."""
    made = _error_of(error, doing, brokers, topic)
    made.__cause__ = KafkaException(error)
    return made


def unreachable(doing: str, *, brokers: str, seconds: float) -> Unavailable:
    """No broker answered within the time that the settings give it."""
    return Unavailable(
        f"{doing}: no Kafka broker answers at {brokers} within {seconds:g} s",
        remedy="start the broker, correct the address in 'brokers', or raise 'connect_timeout'",
    )


def _error_of(error: KafkaError, doing: str, brokers: str, topic: str) -> LoomError:
    code = error.code()
    if code in _UNKNOWN_TOPIC and topic:
        return NotFound("topic", topic)
    if code in _RECORD:
        return RecordRefused(f"{doing}: Kafka does not take the record ({error.name()}: {error.str()})")
    if code in _REFUSED:
        return EngineFailure(
            f"{doing}: Kafka at {brokers} refused it ({error.name()}: {error.str()})",
            remedy="check the credentials in 'options' and the permissions that the brokers grant",
        )
    if not error.fatal() and (code in _UNAVAILABLE or error.retriable()):
        return Unavailable(f"{doing}: Kafka at {brokers} did not answer in time ({error.name()}: {error.str()})")
    return EngineFailure(f"{doing}: Kafka at {brokers} reported {error.name()}: {error.str()}")
