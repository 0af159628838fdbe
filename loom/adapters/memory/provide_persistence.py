"""Binds the ``Persistence`` port to the in-memory store."""

from __future__ import annotations

from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.memory.settings_persistence import MemoryPersistenceSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: MemoryPersistenceSettings, *, codec: Codec, clock: Clock) -> MemoryPersistence:
    """A store of its own: two calls share nothing."""
    return MemoryPersistence(codec=codec, clock=clock)
