"""Binds the ``Cache`` port to this process."""

from __future__ import annotations

from loom.adapters.memory.cache import MemoryCache
from loom.adapters.memory.settings_cache import MemoryCacheSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: MemoryCacheSettings, *, codec: Codec, clock: Clock) -> MemoryCache:
    """An empty cache; it needs no codec."""
    return MemoryCache(max_entries=settings.max_entries, clock=clock)
