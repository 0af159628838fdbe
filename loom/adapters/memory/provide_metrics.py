"""Binds the ``Metrics`` port to this process."""

from __future__ import annotations

from loom.adapters.memory.metrics import MemoryMetrics
from loom.adapters.memory.settings_metrics import MemoryMetricsSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: MemoryMetricsSettings, *, codec: Codec, clock: Clock) -> MemoryMetrics:
    """Metrics of their own; they need neither a codec nor a clock."""
    return MemoryMetrics()
