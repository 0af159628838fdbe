"""Binds the ``Cache`` port to Redis."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from loom.adapters.redis.cache import RedisCache
from loom.adapters.redis.settings import RedisSettings
from loom.domain.errors import ConfigError, Issue, Place
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: RedisSettings, *, codec: Codec, clock: Clock) -> RedisCache:
    """A cache that connects when it is first asked; it needs no codec.

    Raises:
        ConfigError: the address cannot be used.
    """
    try:
        pool = BlockingConnectionPool.from_url(
            settings.url,
            max_connections=settings.max_connections,
            timeout=settings.timeout,
            socket_timeout=settings.timeout,
            socket_connect_timeout=settings.timeout,
            # A connection that Redis closed meanwhile is opened again, once.
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError:
        # Neither the text nor the cause is shown: a broken URL may show its password anywhere.
        place = Place(name="cache.url")
        remedy = "write redis://:password@host:6379/0"
        issue = Issue(code="LOOM-CONFIG-016", where=place, message="the address of Redis is not a URL", remedy=remedy)
        raise ConfigError([issue]) from None
    return RedisCache(Redis(connection_pool=pool), prefix=settings.key_prefix, pause=settings.pause, clock=clock)
