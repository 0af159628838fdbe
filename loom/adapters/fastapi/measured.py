"""Counts the requests of a path, and shows what was counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

import attrs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
_GONE = 499
"""Status under which a request is counted whose client went away before it was answered."""


class Measured:
    """An ASGI application that is counted under one path template: never under the address, which clients make up."""

    def __init__(self, app: ASGIApp, template: str, metrics: Metrics) -> None:
        self._app = app
        self._template = template
        self._metrics = metrics
        self._in_flight = metrics.gauge("http_requests_in_flight", "Requests that are being answered.")
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and count it."""
        status = _GONE

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._in_flight.add(1)
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            self._in_flight.add(-1)
            counter, histogram = self._of(scope["method"], status)
            counter.add()
            histogram.observe(time.perf_counter() - begun)

    def _of(self, method: str, status: int) -> tuple[Counter, Histogram]:
        found = self._series.get((method, status))
        if found is None:
            labels = {"method": method if method in _METHODS else "OTHER", "route": self._template}
            counter = self._metrics.counter("http_requests", "Requests answered.", status=str(status), **labels)
            histogram = self._metrics.histogram(
                "http_request_duration_seconds", "Time to the end of the answer.", BUCKETS, **labels
            )
            found = (counter, histogram)
            if method in _METHODS:
                self._series[method, status] = found
        return found


@attrs.frozen
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
