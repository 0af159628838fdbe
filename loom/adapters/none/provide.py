"""Binds the ``Cache`` port to nothing."""

from __future__ import annotations

from loom.adapters.none.cache import NoCache
from loom.adapters.none.settings import NoneSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: NoneSettings, *, codec: Codec, clock: Clock) -> NoCache:
    """A cache that keeps nothing; it needs neither a codec nor a clock."""
    return NoCache()
