"""The ``Metrics`` port over a registry of its own, so that two applications of one process do not meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from loom.domain.frozen import frozen


@frozen
class _Counter:
    add: Callable[..., None]


@frozen
class _Gauge:
    add: Callable[..., None]
    set: Callable[[float], None]


@frozen
class _Histogram:
    observe: Callable[[float], None]


class PrometheusMetrics:
    """Metrics in a registry of this object."""

    def __init__(self, *, process: bool) -> None:
        self.registry = CollectorRegistry()
        self._families: dict[str, Any] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()
        if process:
            ProcessCollector(registry=self.registry)
            GCCollector(registry=self.registry)

    def counter(self, name: str, description: str, /, **labels: str) -> _Counter:
        """See ``Metrics``."""
        return _Counter(self._series(Counter, name, description, labels).inc)

    def gauge(self, name: str, description: str, /, **labels: str) -> _Gauge:
        """See ``Metrics``."""
        series = self._series(Gauge, name, description, labels)
        return _Gauge(series.inc, series.set)

    def histogram(self, name: str, description: str, buckets: Sequence[float], /, **labels: str) -> _Histogram:
        """See ``Metrics``."""
        return _Histogram(self._series(Histogram, name, description, labels, buckets=buckets).observe)

    def exposition(self) -> tuple[str, bytes]:
        """See ``Metrics``."""
        return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self.registry)

    def _series(self, kind: type[Any], name: str, description: str, labels: dict[str, str], **options: Any) -> Any:
        with self._lock:
            family = self._families.get(name)
            if family is None:
                family = kind(name, description, sorted(labels), registry=self.registry, **options)
                self._families[name], self._labels[name] = family, tuple(sorted(labels))
        if not isinstance(family, kind) or self._labels[name] != tuple(sorted(labels)):
            raise ValueError(f"{name} is a {type(family).__name__.lower()} with the labels {list(self._labels[name])}")
        return family.labels(**labels) if labels else family
