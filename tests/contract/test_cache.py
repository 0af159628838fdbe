"""The contract of read caches over this process and a real Redis, and what each does beyond it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from redis import Redis

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.cache import MemoryCache
from loom.adapters.redis.cache import RedisCache
from loom.adapters.redis.provide import provide
from loom.adapters.redis.settings import RedisSettings
from loom.domain.errors import ConfigError
from loom.testing.clock import FakeClock
from loom.testing.contracts.cache import TAGS, CacheContract, Make, kept, value_of
from tests.servers.redis import RedisServer


class TestMemoryCache(CacheContract):
    clock: FakeClock

    @pytest.fixture
    def make(self) -> Make:
        self.clock = FakeClock()
        return lambda: MemoryCache(max_entries=100, clock=self.clock)

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)


async def test_in_memory_the_least_recently_used_value_goes_first() -> None:
    cache = MemoryCache(max_entries=2, clock=FakeClock())
    await kept(cache, "a", b"one")
    await kept(cache, "b", b"two")
    await value_of(cache, "a")
    await kept(cache, "c", b"three")
    assert len(cache) == 2
    assert [await value_of(cache, key) for key in "abc"] == [b"one", None, b"three"]


def redis_cache(url: str, clock: FakeClock | None = None, prefix: str = "test:") -> RedisCache:
    settings = RedisSettings(url=url, key_prefix=prefix)
    return provide(settings, codec=JsonCodec(), clock=clock or FakeClock())


@pytest.mark.redis
class TestRedisCache(CacheContract):
    @pytest.fixture
    async def make(self, clean_redis_url: str) -> AsyncIterator[Make]:
        made: list[RedisCache] = []

        def make() -> RedisCache:
            made.append(redis_cache(clean_redis_url))
            return made[-1]

        yield make
        for cache in made:
            await cache.close()

    async def test_two_processes_share_values_and_invalidations(self, make: Make) -> None:
        one, two = make(), make()
        await kept(one, "a", b"one")
        assert await value_of(two, "a") == b"one"
        await two.invalidate(["rows"])
        assert await value_of(one, "a") is None

    async def test_prefixes_keep_applications_apart(self, make: Make, clean_redis_url: str) -> None:
        mine, other = make(), redis_cache(clean_redis_url, prefix="other:")
        await kept(mine, "a", b"one")
        assert await value_of(other, "a") is None
        await other.invalidate(TAGS)
        assert await value_of(mine, "a") == b"one"
        await other.close()
        with Redis.from_url(clean_redis_url) as client:
            assert all(name.startswith((b"test:", b"other:")) for name in client.scan_iter())

    async def test_an_evicted_tag_makes_no_old_value_hold_again(self, make: Make, clean_redis_url: str) -> None:
        cache = make()
        await kept(cache, "a", b"old")
        with Redis.from_url(clean_redis_url) as client:
            for _ in range(2):
                client.delete("test:tag:rows")
                await cache.invalidate(["rows"])
                assert await value_of(cache, "a") is None
            client.delete("test:tag:rows", "test:tag:notes")
        assert await value_of(cache, "a") is None


@pytest.mark.redis
async def test_redis_gone_is_a_miss_told_once(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing raises, one warning tells it, and after the pause the cache is used again."""
    caplog.set_level(logging.INFO, "loom.cache")
    clock = FakeClock()
    cache = redis_cache(own_redis.url, clock)
    await kept(cache, "a", b"one")
    own_redis.kill()
    for _ in range(3):
        lookup = await cache.get("a", TAGS)
        assert (lookup.value, lookup.stamp) == (None, b"")
        await cache.put("a", b"two", stamp=b"x", seconds=60)
        clock.advance(5)
    own_redis.start()
    clock.advance(5)
    assert await value_of(cache, "a") == b"one"
    await cache.close()
    told = [record.getMessage() for record in caplog.records if record.name == "loom.cache"]
    assert len(told) == 2
    assert told[0].startswith("the cache does not answer, the store is asked instead: ")
    assert told[1] == "the cache answers again"


@pytest.mark.redis
async def test_what_could_not_be_invalidated_is_not_found_later(own_redis: RedisServer) -> None:
    """A row changed while Redis was away: Redis comes back with the old one, and nobody is given it."""
    clock = FakeClock()
    cache = redis_cache(own_redis.url, clock)
    await kept(cache, "a", b"old")
    await kept(cache, "b", b"other", ("others",))
    own_redis.kill()
    await cache.invalidate(["rows"])
    own_redis.start()
    assert await value_of(cache, "b", ("others",)) is None, "it is still in its pause"
    clock.advance(5)
    assert await value_of(cache, "a") is None
    assert await value_of(cache, "b", ("others",)) == b"other"
    await kept(cache, "a", b"new")
    assert await value_of(cache, "a") == b"new"
    await cache.close()


def test_an_address_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as refused:
        redis_cache("redis://:hunter2@localhost:many/0")
    assert "the address of Redis is not a URL" in str(refused.value)
    assert "hunter2" not in str(refused.value)
