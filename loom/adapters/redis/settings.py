"""Settings of the cache in Redis."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen

_positive = attrs.validators.gt(0.0)


@frozen(kw_only=True)
class RedisSettings:
    """Where the Redis is, and how long it may take. Durations are in seconds.

    Attributes:
        url: ``redis://``, ``rediss://`` or ``unix://``, with its credentials and the number of the database.
        key_prefix: put before every key, so that several applications may share one Redis.
        timeout: how long Redis may take to connect and to answer; after that the store is asked.
        pause: for how long Redis is not asked again after it did not answer.
        max_connections: most connections of one process.
    """

    url: str = attrs.field(
        default="redis://localhost:6379/0", validator=attrs.validators.matches_re(r"(rediss?|unix)://.+")
    )
    key_prefix: str = "loom:cache:"
    timeout: float = attrs.field(default=0.5, validator=_positive)
    pause: float = attrs.field(default=1.0, validator=_positive)
    max_connections: int = attrs.field(default=20, validator=attrs.validators.ge(1))
