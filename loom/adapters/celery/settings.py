"""Settings of the Celery adapter."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen

_positive = attrs.validators.gt(0.0)


@frozen(kw_only=True)
class CelerySettings:
    """Where the broker is and how a worker works. Durations are in seconds.

    Attributes:
        broker_url: a Redis (``redis://``, ``rediss://``) or RabbitMQ (``amqp://``) address, with its credentials.
        visibility_timeout: after so long Redis hands a message that is not acknowledged to another worker; for RabbitMQ
            say its ``consumer_timeout`` here. It must exceed every job's timeout and wait, which is checked at start.
        restore_interval: how often a worker looks for such messages in Redis.
        connect_timeout: how long the broker may take to answer a connection.
        redelivery_delay: until a message is delivered again whose run could not be recorded.
        pool: ``threads`` runs as many async jobs at once in one process as ``concurrency`` says, all on one event loop;
            ``prefork`` starts that many processes, for jobs that compute; ``solo`` runs one at a time.
        concurrency: how many jobs run at the same time in one worker.
        key_prefix: put before every key in Redis, so that several applications may share one.
    """

    broker_url: str = "redis://localhost:6379/0"
    visibility_timeout: float = attrs.field(default=3600.0, validator=_positive)
    restore_interval: float = attrs.field(default=10.0, validator=_positive)
    connect_timeout: float = attrs.field(default=5.0, validator=_positive)
    redelivery_delay: float = attrs.field(default=5.0, validator=_positive)
    pool: str = attrs.field(default="threads", validator=attrs.validators.in_(("threads", "prefork", "solo")))
    concurrency: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    key_prefix: str = ""
