"""A cache in Redis.

Each tag has a key whose value is its generation: a random token. Invalidation is one MSET of new tokens, however many
values depend on the tags, and never a scan. A value is stored behind the generations that its reader saw, so that it is
found only while they are the present ones. Random, and not counted up: where Redis has evicted a counter, it would
count from 1 again, and old values would hold again.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from loom.ports.cache import Lookup
from loom.ports.clock import Clock

T = TypeVar("T")
log = logging.getLogger("loom.cache")
_TOKEN = 12
_FAULTS = (RedisError, OSError)


class RedisCache:
    """See ``Cache``. One event loop per object: the connections belong to the loop that opened them.

    Args:
        redis: the client.
        prefix: put before every key.
        pause: seconds for which Redis is not asked after it did not answer.
        clock: measures the pause.
    """

    def __init__(self, redis: Redis, *, prefix: str, pause: float, clock: Clock) -> None:
        self._redis: Any = redis
        self._prefix = prefix
        self._pause = dt.timedelta(seconds=pause)
        self._clock = clock
        self._away_until: dt.datetime | None = None
        self._owed: dict[str, int] = {}
        self._owing = 0

    async def get(self, key: str, tags: Sequence[str]) -> Lookup:
        if self._owed:
            await self._pay()
        if self._owed:
            return Lookup()
        names = [self._tag(tag) for tag in tags]
        found = await self._answer(self._redis.mget, [*names, self._value(key)])
        if found is None:
            return Lookup()
        *generations, kept = found
        if None in generations:
            return Lookup(None, await self._begun(names))
        stamp = b"".join(generations)
        if kept is None or not kept.startswith(stamp):
            return Lookup(None, stamp)
        return Lookup(kept[len(stamp) :], stamp)

    async def put(self, key: str, value: bytes, *, stamp: bytes, seconds: float) -> None:
        if stamp:
            await self._answer(self._redis.set, self._value(key), stamp + value, px=max(1, round(seconds * 1000)))

    async def invalidate(self, tags: Sequence[str]) -> None:
        done = False
        try:
            done = await self._renew(tags)
        finally:
            if not done:
                self._owing += 1
                self._owed |= dict.fromkeys(tags, self._owing)

    async def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    async def _begun(self, names: Sequence[str]) -> bytes:
        """The generations of tags, of which some have none yet; empty where Redis does not answer."""

        async def begin() -> Any:
            async with self._redis.pipeline(transaction=True) as pipeline:
                for name in names:
                    pipeline.set(name, _token(), nx=True)
                pipeline.mget(names)
                return (await pipeline.execute())[-1]

        found = await self._answer(begin)
        return b"" if found is None or None in found else b"".join(found)

    async def _renew(self, tags: Sequence[str]) -> bool:
        """Give the tags new generations; whether it was done."""
        return await self._answer(self._redis.mset, {self._tag(tag): _token() for tag in tags}) is not None

    async def _pay(self) -> None:
        """Invalidate what could not be invalidated when it was to be."""
        owed = dict(self._owed)
        if await self._renew(list(owed)):
            # What came to be owed again in between still is.
            self._owed = {tag: since for tag, since in self._owed.items() if owed.get(tag) != since}

    async def _answer(self, ask: Any, *given: Any, **more: Any) -> Any:
        """The answer of Redis; ``None`` where there is none, which is logged once until it answers again."""
        if self._away_until is not None and self._clock.now() < self._away_until:
            return None
        asked: Awaitable[Any] = ask(*given, **more)
        try:
            found = await asked
        except _FAULTS as error:
            if self._away_until is None:
                log.warning("the cache does not answer, the store is asked instead: %s", error)
            self._away_until = self._clock.now() + self._pause
            return None
        if self._away_until is not None:
            self._away_until = None
            log.info("the cache answers again")
        return found

    def _tag(self, tag: str) -> str:
        return f"{self._prefix}tag:{tag}"

    def _value(self, key: str) -> str:
        return f"{self._prefix}row:{key}"


def _token() -> bytes:
    return secrets.token_bytes(_TOKEN)
