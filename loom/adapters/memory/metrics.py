"""Metrics in this process: the embedded default, and the fake that tests read."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TypeVar

import attrs

Labels = tuple[tuple[str, str], ...]


@attrs.define(eq=False, repr=False)
class Number:
    """A counter or a gauge."""

    value: float = 0.0
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def add(self, amount: float = 1) -> None:
        with self._lock:
            self.value += amount

    def set(self, value: float) -> None:
        self.value = value


@attrs.define(eq=False, repr=False)
class Distribution:
    """A histogram. ``counts`` has one number for each bucket and one for what lies above all."""

    buckets: tuple[float, ...]
    counts: list[int] = attrs.field(init=False)
    sum: float = attrs.field(default=0.0, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.counts = [0] * (len(self.buckets) + 1)

    def observe(self, value: float) -> None:
        with self._lock:
            self.counts[bisect_left(self.buckets, value)] += 1
            self.sum += value


Series = TypeVar("Series", Number, Distribution)


@attrs.define(eq=False, repr=False)
class _Family:
    kind: str
    description: str
    labels: frozenset[str]
    series: dict[Labels, Number | Distribution] = attrs.field(factory=dict)


class MemoryMetrics:
    """Counts, and forgets everything with the process. ``value`` tells a test what was counted."""

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}
        self._lock = threading.Lock()

    def counter(self, name: str, description: str, /, **labels: str) -> Number:
        """See ``Metrics``."""
        return self._series("counter", name, description, labels, Number())

    def gauge(self, name: str, description: str, /, **labels: str) -> Number:
        """See ``Metrics``."""
        return self._series("gauge", name, description, labels, Number())

    def histogram(self, name: str, description: str, buckets: Sequence[float], /, **labels: str) -> Distribution:
        """See ``Metrics``."""
        return self._series("histogram", name, description, labels, Distribution(tuple(buckets)))

    def value(self, name: str, **labels: str) -> float:
        """The value of a counter or gauge, or how many values a histogram has taken; 0 where there is none."""
        family = self._families.get(name)
        found = family.series.get(_key(labels)) if family else None
        if isinstance(found, Distribution):
            return sum(found.counts)
        return found.value if found else 0.0

    def exposition(self) -> tuple[str, bytes]:
        """See ``Metrics``."""
        text = "".join(line + "\n" for name, family in self._families.items() for line in _lines(name, family))
        return "text/plain; version=0.0.4; charset=utf-8", text.encode()

    def _series(self, kind: str, name: str, description: str, labels: dict[str, str], new: Series) -> Series:
        with self._lock:
            family = self._families.setdefault(name, _Family(kind, description, frozenset(labels)))
            if family.kind != kind or family.labels != labels.keys():
                raise ValueError(f"{name} is a {family.kind} with the labels {sorted(family.labels)}")
            found = family.series.setdefault(_key(labels), new)
        assert isinstance(found, type(new))
        return found


def _key(labels: dict[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _lines(name: str, family: _Family) -> Iterator[str]:
    shown = f"{name}_total" if family.kind == "counter" else name
    yield f"# HELP {shown} {family.description}"
    yield f"# TYPE {shown} {family.kind}"
    for labels, series in list(family.series.items()):
        if isinstance(series, Number):
            yield f"{shown}{_braces(labels)} {series.value}"
        else:
            yield from _buckets(name, labels, series)


def _buckets(name: str, labels: Labels, series: Distribution) -> Iterator[str]:
    below = 0
    for bound, count in zip((*series.buckets, float("inf")), series.counts, strict=True):
        below += count
        le = "+Inf" if bound == float("inf") else str(float(bound))
        yield f"{name}_bucket{_braces(tuple(sorted((*labels, ('le', le)))))} {float(below)}"
    yield f"{name}_count{_braces(labels)} {float(below)}"
    yield f"{name}_sum{_braces(labels)} {series.sum}"


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels) + "}"


_ESCAPED = {ord("\\"): "\\\\", ord("\n"): "\\n", ord('"'): '\\"'}
