"""Protocols of metrics: counters, gauges and histograms by name and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Counter(Protocol):
    """Protocol of a number that only grows."""

    def add(self, amount: float = 1) -> None:
        """Count. Never negative."""


class Gauge(Protocol):
    """Protocol of a number that goes up and down."""

    def add(self, amount: float) -> None:
        """Change it by a difference."""

    def set(self, value: float) -> None:
        """Replace it."""


class Histogram(Protocol):
    """Protocol of a distribution."""

    def observe(self, value: float) -> None:
        """Take one value into it."""


class Metrics(Protocol):
    """Protocol of a set of metrics; two sets share nothing, not even in one process.

    The first call for a name declares it, with its labels; the same name and label values give the same series
    afterwards. Names and labels follow Prometheus: ``[a-zA-Z_][a-zA-Z0-9_]*``, seconds and bytes as base units,
    counters without the ending ``_total``. Every call is cheap enough for each request; a caller with fixed label
    values keeps the series. Threads may call at once.
    """

    def counter(self, name: str, description: str, /, **labels: str) -> Counter:
        """The counter of these label values.

        Raises:
            ValueError: the name is that of another kind of metric, or has other labels.
        """

    def gauge(self, name: str, description: str, /, **labels: str) -> Gauge:
        """The gauge of these label values; see ``counter``."""

    def histogram(self, name: str, description: str, buckets: Sequence[float], /, **labels: str) -> Histogram:
        """The histogram of these label values; see ``counter``.

        Args:
            name: see ``counter``.
            description: one line for people.
            buckets: upper bounds, rising, without the infinite one; those of the first call hold.
            labels: see ``counter``.
        """

    def exposition(self) -> tuple[str, bytes]:
        """Everything that was counted, as content type and body, in the text format of Prometheus."""
