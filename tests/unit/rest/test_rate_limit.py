"""Token buckets: so many at once, so many in the long run, each caller for itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.application.rest.rate_limit import TokenBuckets


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_gives_its_burst_and_then_the_time_to_wait() -> None:
    buckets = TokenBuckets(2.0, 3, now=Time())
    assert [buckets.take("ann") for _ in range(4)] == [0, 0, 0, 0.5]


def test_tokens_come_back_with_time_and_never_above_the_burst() -> None:
    time = Time()
    buckets = TokenBuckets(2.0, 3, now=time)
    for _ in range(3):
        buckets.take("ann")
    time.now += 0.5
    assert [buckets.take("ann") for _ in range(2)] == [0, 0.5]
    time.now += 1_000
    assert [buckets.take("ann") for _ in range(4)] == [0, 0, 0, 0.5]


def test_callers_do_not_share() -> None:
    buckets = TokenBuckets(1.0, 1, now=Time())
    assert (buckets.take("ann"), buckets.take("bob")) == (0, 0)
    assert buckets.take("ann") == 1


def test_only_so_many_callers_are_known() -> None:
    buckets = TokenBuckets(1.0, 1, most=2, now=Time())
    for caller in ("ann", "bob", "cid"):
        assert buckets.take(caller) == 0
    assert buckets.take("cid") == 1
    assert buckets.take("ann") == 0


@given(
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 20),
    waits=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_never_more_than_burst_and_rate_allow(rate: float, burst: int, waits: list[float]) -> None:
    time = Time()
    buckets = TokenBuckets(rate, burst, now=time)
    allowed = 0
    for wait in waits:
        time.now += wait
        allowed += buckets.take("ann") == 0
    assert allowed <= burst + rate * sum(waits) + 1e-6


@given(rate=st.floats(0.1, 50), burst=st.integers(1, 20))
def test_who_waits_as_long_as_it_is_told_is_let_in(rate: float, burst: int) -> None:
    time = Time()
    buckets = TokenBuckets(rate, burst, now=time)
    while (wait := buckets.take("ann")) == 0:
        pass
    time.now += wait * 1.000001
    assert buckets.take("ann") == pytest.approx(0)
