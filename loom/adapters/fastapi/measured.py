"""Counts the requests of a path, and shows what was counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

import attrs
from starlette.types import Receive, Scope

from loom.adapters.fastapi.answer import Answer
from loom.domain.context import Context
from loom.domain.errors import LoomError
from loom.ports.metrics import Counter, Histogram, Metrics

Refresh = Callable[[], Awaitable[None]]
"""Brings gauges up to date before they are shown."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the latency histogram, in seconds."""

_LOG = logging.getLogger("loom.rest")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Meter:
    """Counts the requests of one path template: never of the address, which clients make up."""

    __slots__ = ("_in_flight", "_metrics", "_series", "_template")

    def __init__(self, template: str, metrics: Metrics) -> None:
        self._template = template
        self._metrics = metrics
        self._in_flight = metrics.gauge("http_requests_in_flight", "Requests that are being answered.")
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def begin(self) -> float:
        """Count a request in; returns the moment, for ``end``."""
        self._in_flight.add(1)
        return time.perf_counter()

    def end(self, begun: float, method: str, status: int) -> None:
        """Count it out, under the status that its answer began with."""
        self._in_flight.add(-1)
        counter, histogram = self._series.get((method, status)) or self._of(method, status)
        counter.add()
        histogram.observe(time.perf_counter() - begun)

    def _of(self, method: str, status: int) -> tuple[Counter, Histogram]:
        labels = {"method": method if method in _METHODS else "OTHER", "route": self._template}
        counter = self._metrics.counter("http_requests", "Requests answered.", status=str(status), **labels)
        histogram = self._metrics.histogram(
            "http_request_duration_seconds", "Time to the end of the answer.", BUCKETS, **labels
        )
        if method in _METHODS:
            self._series[method, status] = (counter, histogram)
        return counter, histogram


@attrs.frozen(eq=False, repr=False)
class MetricsPage:
    """The operation that shows all metrics."""

    parts: ClassVar[Mapping[str, str]] = {}
    metrics: Metrics
    refresh: Sequence[Refresh] = ()

    async def answer(self, scope: Scope, receive: Receive, context: Context) -> Answer:
        """Everything that was counted. A gauge that cannot be brought up to date keeps its value."""
        for bring in self.refresh:
            try:
                await bring()
            except LoomError as error:
                _LOG.warning("a metric cannot be brought up to date: %s", error)
        content_type, body = self.metrics.exposition()
        return Answer(200, body, ((b"content-type", content_type.encode("ascii")),))
