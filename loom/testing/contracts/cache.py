"""Contract of ``Cache``: what is kept is found until its time is over or one of its tags is invalidated.

Subclass it in a test module and give ``make`` as an async fixture: a function that makes a cache over the same place,
which is empty at the start of each test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from loom.ports.cache import Cache, Lookup

Make = Callable[[], Cache]
TAGS = ("rows", "notes")


async def kept(cache: Cache, key: str, value: bytes, tags: tuple[str, ...] = TAGS, seconds: float = 60) -> Lookup:
    """Keep a value as a reader would; returns what the question before it gave."""
    before = await cache.get(key, tags)
    await cache.put(key, value, stamp=before.stamp, seconds=seconds)
    return before


async def value_of(cache: Cache, key: str, tags: tuple[str, ...] = TAGS) -> bytes | None:
    """What is found under a key."""
    return (await cache.get(key, tags)).value


class CacheContract:
    """What every cache must do."""

    async def pass_time(self, seconds: float) -> None:
        """Let time go by; override it where a clock can be set."""
        await asyncio.sleep(seconds)

    async def test_what_is_kept_is_found(self, make: Make) -> None:
        cache = make()
        assert (await kept(cache, "a", b"\x00one\xff")).value is None
        assert await value_of(cache, "a") == b"\x00one\xff"
        assert await value_of(cache, "b") is None

    async def test_an_empty_value_is_a_value(self, make: Make) -> None:
        cache = make()
        await kept(cache, "a", b"")
        assert await value_of(cache, "a") == b""

    async def test_the_last_value_of_a_key_holds(self, make: Make) -> None:
        cache = make()
        await kept(cache, "a", b"one")
        await kept(cache, "a", b"two")
        assert await value_of(cache, "a") == b"two"

    async def test_a_value_is_gone_when_its_time_is_over(self, make: Make) -> None:
        cache = make()
        await kept(cache, "short", b"one", seconds=0.05)
        await kept(cache, "long", b"two", seconds=60)
        await self.pass_time(0.2)
        assert await value_of(cache, "short") is None
        assert await value_of(cache, "long") == b"two"

    @pytest.mark.parametrize("tag", TAGS)
    async def test_any_tag_of_a_value_invalidates_it(self, make: Make, tag: str) -> None:
        cache = make()
        await kept(cache, "a", b"one")
        await cache.invalidate([tag])
        assert await value_of(cache, "a") is None

    async def test_values_of_other_tags_stay(self, make: Make) -> None:
        cache = make()
        await kept(cache, "a", b"one", ("rows",))
        await kept(cache, "b", b"two", ("others",))
        await cache.invalidate(["rows", "unheard of"])
        assert await value_of(cache, "a", ("rows",)) is None
        assert await value_of(cache, "b", ("others",)) == b"two"

    async def test_after_an_invalidation_values_are_kept_again(self, make: Make) -> None:
        cache = make()
        for value in (b"one", b"two", b"three"):
            await kept(cache, "a", value)
            assert await value_of(cache, "a") == value
            await cache.invalidate(TAGS)
            assert await value_of(cache, "a") is None

    async def test_what_was_read_before_an_invalidation_is_not_kept_after_it(self, make: Make) -> None:
        """The slow reader: it asked, read the row, and puts it when the row has changed."""
        cache = make()
        before = await cache.get("a", TAGS)
        await cache.invalidate(["notes"])
        await cache.put("a", b"old", stamp=before.stamp, seconds=60)
        assert await value_of(cache, "a") is None

    async def test_a_slow_reader_does_not_bring_back_what_it_read(self, make: Make) -> None:
        """Also where somebody else kept the new row in between."""
        cache = make()
        slow = await cache.get("a", TAGS)
        await cache.invalidate(["rows"])
        await kept(cache, "a", b"new")
        await cache.put("a", b"old", stamp=slow.stamp, seconds=60)
        assert await value_of(cache, "a") in (None, b"new")

    async def test_without_a_stamp_nothing_is_kept(self, make: Make) -> None:
        cache = make()
        await cache.get("a", TAGS)
        await cache.put("a", b"one", stamp=b"", seconds=60)
        assert await value_of(cache, "a") is None

    async def test_many_at_once_agree_about_new_tags(self, make: Make) -> None:
        """Nobody's first question makes the value of another one void."""
        cache = make()
        found = await asyncio.gather(*[cache.get(f"k{number}", TAGS) for number in range(8)])
        assert len({each.stamp for each in found}) == 1
        await asyncio.gather(*[cache.put(f"k{n}", b"%d" % n, stamp=found[n].stamp, seconds=60) for n in range(8)])
        assert [await value_of(cache, f"k{number}") for number in range(8)] == [b"%d" % number for number in range(8)]

    async def test_a_closed_cache_raises_nothing(self, make: Make) -> None:
        cache = make()
        await kept(cache, "a", b"one")
        await cache.close()
        await cache.close()
        assert await value_of(cache, "a") in (None, b"one")
