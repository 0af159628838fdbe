"""Binds the ``StreamEngine`` port to the inline engine."""

from __future__ import annotations

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming import InlineStreamEngine
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: InlineStreamingSettings, *, codec: Codec, clock: Clock) -> InlineStreamEngine:
    """An engine. A bound flow brings its own codec and clock."""
    return InlineStreamEngine(settings)
