"""Settings of the Kafka adapter."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from loom.domain.frozen import frozen

_positive = attrs.validators.gt(0.0)


@frozen(kw_only=True)
class KafkaSettings:
    """Where the brokers are, how long to wait for them, and what librdkafka is told besides. Durations are seconds.

    Attributes:
        brokers: addresses to begin with, ``host:port`` separated by commas.
        client_id: name under which the brokers log this process.
        connect_timeout: how long a broker may take to answer a request about topics, and a close to end.
        delivery_timeout: how long a record may take to be confirmed, tries included, before it counts as not sent.
        partitions: partitions of a topic that is made because somebody uses it; ``ensure`` names its own.
        replication: copies of each partition of a new topic; -1 leaves it to the brokers.
        create_missing: whether using a topic that does not exist makes it; otherwise it is ``NotFound``.
        options: librdkafka options by their own names, such as ``security.protocol``; they win over the adapter's,
            except for those that carry its guarantees (acknowledgements, idempotence, commits), which are refused.
    """

    brokers: str = "localhost:9092"
    client_id: str = "loom"
    connect_timeout: float = attrs.field(default=10.0, validator=_positive)
    delivery_timeout: float = attrs.field(default=30.0, validator=_positive)
    partitions: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    replication: int = -1
    create_missing: bool = True
    options: Mapping[str, str] = attrs.field(factory=dict)
