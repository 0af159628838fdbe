"""Binds the ``Metrics`` port to the Prometheus client."""

from __future__ import annotations

from loom.adapters.prometheus.metrics import PrometheusMetrics
from loom.adapters.prometheus.settings import PrometheusSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: PrometheusSettings, *, codec: Codec, clock: Clock) -> PrometheusMetrics:
    """Metrics in a registry of their own; the client reads the time by itself and encodes nothing of ours."""
    return PrometheusMetrics(process=settings.process)
