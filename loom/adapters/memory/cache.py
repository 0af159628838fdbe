"""A cache in this process: bounded, the least recently used value goes first. Threads may use it at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Sequence

from loom.domain.frozen import frozen
from loom.ports.cache import Lookup
from loom.ports.clock import Clock


@frozen
class _Kept:
    value: bytes
    stamp: bytes
    until: dt.datetime


class MemoryCache:
    """See ``Cache``. Each tag has a number that grows with each invalidation.

    Args:
        max_entries: most values.
        clock: decides when a value is too old.
    """

    def __init__(self, *, max_entries: int, clock: Clock) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._generations: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many values are held, those whose time is over included."""
        return len(self._kept)

    async def get(self, key: str, tags: Sequence[str]) -> Lookup:
        with self._lock:
            stamp = self._stamp(tags)
            kept = self._kept.get(key)
            if kept is None:
                return Lookup(None, stamp)
            if kept.stamp != stamp or kept.until <= self._clock.now():
                del self._kept[key]
                return Lookup(None, stamp)
            self._kept.move_to_end(key)
            return Lookup(kept.value, stamp)

    async def put(self, key: str, value: bytes, *, stamp: bytes, seconds: float) -> None:
        if not stamp:
            return
        until = self._clock.now() + dt.timedelta(seconds=seconds)
        with self._lock:
            self._kept[key] = _Kept(value, stamp, until)
            self._kept.move_to_end(key)
            while len(self._kept) > self._max_entries:
                self._kept.popitem(last=False)

    async def invalidate(self, tags: Sequence[str]) -> None:
        with self._lock:
            for tag in tags:
                self._generations[tag] = self._generations.get(tag, 0) + 1

    async def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _stamp(self, tags: Sequence[str]) -> bytes:
        return ".".join([str(self._generations.get(tag, 0)) for tag in tags]).encode()
