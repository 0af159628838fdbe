"""The options that each librdkafka client is made with, and the check of those that the user names."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException

from loom.adapters.kafka.settings import KafkaSettings
from loom.application.compile import nearest
from loom.domain.errors import ConfigError, Issue, Place

logger = logging.getLogger("loom.adapters.kafka")

_SETTING = "use the setting '{}' instead"
_GUARANTEE = "leave it out: what the adapter promises depends on it"
_OWNED: Mapping[str, str] = {
    "bootstrap.servers": _SETTING.format("brokers"),
    "metadata.broker.list": _SETTING.format("brokers"),
    "client.id": _SETTING.format("client_id"),
    "delivery.timeout.ms": _SETTING.format("delivery_timeout"),
    "message.timeout.ms": _SETTING.format("delivery_timeout"),
    "group.id": "leave it out: the flow names its group",
    "acks": _GUARANTEE,
    "request.required.acks": _GUARANTEE,
    "enable.idempotence": _GUARANTEE,
    "enable.auto.commit": _GUARANTEE,
    "enable.auto.offset.store": _GUARANTEE,
    "enable.partition.eof": _GUARANTEE,
    "transactional.id": _GUARANTEE,
}
# librdkafka cannot list its options; these are the ones that people set, to guess what was meant.
_COMMON = (
    *("security.protocol", "sasl.mechanism", "sasl.username", "sasl.password", "sasl.oauthbearer.config"),
    *("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password"),
    *("enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm"),
    *("session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms", "auto.offset.reset", "isolation.level"),
    *("group.instance.id", "group.protocol", "partition.assignment.strategy", "check.crcs"),
    *("fetch.min.bytes", "fetch.wait.max.ms", "fetch.max.bytes", "max.partition.fetch.bytes"),
    *(
        "queued.min.messages",
        "queued.max.messages.kbytes",
        "queue.buffering.max.messages",
        "queue.buffering.max.kbytes",
    ),
    *("linger.ms", "batch.size", "batch.num.messages", "compression.type", "compression.level", "message.max.bytes"),
    *("partitioner", "max.in.flight.requests.per.connection", "retries", "retry.backoff.ms", "request.timeout.ms"),
    *("socket.timeout.ms", "socket.keepalive.enable", "reconnect.backoff.ms", "reconnect.backoff.max.ms", "debug"),
    *("metadata.max.age.ms", "topic.metadata.refresh.interval.ms", "connections.max.idle.ms", "broker.address.family"),
)
_QUOTED = re.compile(r'"([^"]+)"')
_VALUE = re.compile(r'Invalid value "[^"]*"')


class QuietLogger:
    """Takes librdkafka's log lines to DEBUG: whatever matters in them is also raised, in words that say what to do."""

    def log(self, level: int, message: str, *values: object) -> None:
        logger.debug(message, *values)


def producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """Every record is confirmed by all in-sync replicas, stored once, and in order."""
    return {
        # As Kafka's own clients do, so that whoever writes a key writes it to the same partition.
        "partitioner": "murmur2_random",
        "linger.ms": 2,
        **_shared(settings),
        "acks": "all",
        "enable.idempotence": True,
        "message.timeout.ms": int(settings.delivery_timeout * 1000),
        "logger": QuietLogger(),
    }


def consumer_options(settings: KafkaSettings, group: str) -> dict[str, Any]:
    """Nothing is committed but what the flow commits; a rebalance moves only the partitions that change hands."""
    return {
        "partition.assignment.strategy": "cooperative-sticky",
        "auto.offset.reset": "earliest",
        **_shared(settings),
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Tells a member that it has caught up where the last offsets hold no record.
        "enable.partition.eof": True,
        "logger": QuietLogger(),
    }


def admin_options(settings: KafkaSettings) -> dict[str, Any]:
    """Nobody polls an admin client, so it is told not to log at all rather than to queue its lines."""
    return {**_shared(settings), "log_level": 0}


def check_options(settings: KafkaSettings) -> None:
    """Refuse options that librdkafka does not know, values that it does not take, and options that are not the user's.

    Raises:
        ConfigError: all unknown and refused options; librdkafka tells of one wrong value at a time.
    """
    issues = [_issue(name, "belongs to the adapter", _OWNED[name]) for name in settings.options if name in _OWNED]
    options = {name: value for name, value in settings.options.items() if name not in _OWNED}
    while (fault := _fault(options)) is not None:
        name = next((quoted for quoted in _QUOTED.findall(fault) if quoted in options), "")
        near = nearest(name, _COMMON) if "No such" in fault else ""
        # The value is left out of the text: somebody may have put a secret into the wrong option.
        message = _VALUE.sub("Invalid value", fault)
        issues.append(_issue(name, message, f"did you mean '{near}'?" if near else ""))
        if not options.pop(name, None):
            break
    if issues:
        raise ConfigError(issues)


def _shared(settings: KafkaSettings) -> dict[str, Any]:
    return {**settings.options, "bootstrap.servers": settings.brokers, "client.id": settings.client_id}


def _fault(options: Mapping[str, str]) -> str | None:
    try:
        # Without a broker's address nothing connects; a consumer is checked for combinations too.
        Consumer({**options, "group.id": "check", "log_level": 0}).close()
    except KafkaException as error:
        return str(error.args[0].str())
    return None


def _issue(name: str, message: str, remedy: str) -> Issue:
    place = Place(name=f"options.{name}" if name else "options")
    return Issue(code="LOOM-KAFKA-001", where=place, message=f"Kafka option '{name}': {message}", remedy=remedy)
