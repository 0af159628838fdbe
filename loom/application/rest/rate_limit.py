"""A token bucket for each caller."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import attrs


@attrs.define(eq=False, repr=False)
class TokenBuckets:
    """Allows each caller ``burst`` requests at once, and ``rate`` a second in the long run.

    It knows at most ``most`` callers: the one that has asked least recently is forgotten first, and begins again with a
    full bucket. Buckets belong to this process: a service of several processes allows as many times more.

    Args:
        rate: tokens that come back in a second.
        burst: tokens of a full bucket.
        most: buckets that are kept.
        now: seconds of a clock that never goes back.
    """

    rate: float
    burst: float
    most: int = 10_000
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = attrs.field(factory=OrderedDict, init=False)

    def take(self, caller: str) -> float:
        """Take a token; returns 0 where there was one, else the seconds until there is."""
        now = self.now()
        tokens, before = self._buckets.get(caller, (self.burst, now))
        tokens = min(self.burst, tokens + (now - before) * self.rate)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self.rate
