"""Binds the ``Topics`` port to the in-memory broker."""

from __future__ import annotations

from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: MemoryTopicsSettings, *, codec: Codec, clock: Clock) -> MemoryTopics:
    """A broker of its own: two calls share nothing. Records hold bytes already, so the codec is not needed."""
    return MemoryTopics(settings, clock=clock)
