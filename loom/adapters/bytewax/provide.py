"""Binds the ``StreamEngine`` port to Bytewax."""

from __future__ import annotations

from loom.adapters.bytewax.engine import BytewaxStreamEngine
from loom.adapters.bytewax.settings import BytewaxSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: BytewaxSettings, *, codec: Codec, clock: Clock) -> BytewaxStreamEngine:
    """An engine. A bound flow brings its own codec and clock."""
    return BytewaxStreamEngine(settings)
