"""Contract of ``Metrics``: what is counted is shown, under its name and labels, and two sets share nothing.

Subclass it in a test module and give ``make`` as a fixture: a function that makes a new set.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from loom.ports.metrics import Metrics

Make = Callable[[], Metrics]


def shown(metrics: Metrics) -> dict[str, float]:
    """The samples of an exposition by name and labels, labels in the order of their names."""
    content_type, body = metrics.exposition()
    assert content_type.startswith("text/plain")
    found = {}
    for line in body.decode().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


class MetricsContract:
    """What every set of metrics must do."""

    def test_a_counter_counts(self, make: Make) -> None:
        metrics = make()
        metrics.counter("requests", "Requests.", method="GET", route="/a").add()
        metrics.counter("requests", "Requests.", route="/a", method="GET").add(2)
        metrics.counter("requests", "Requests.", method="PUT", route="/a").add()
        found = shown(metrics)
        assert found['requests_total{method="GET",route="/a"}'] == 3
        assert found['requests_total{method="PUT",route="/a"}'] == 1

    def test_a_gauge_goes_up_and_down(self, make: Make) -> None:
        metrics = make()
        gauge = metrics.gauge("waiting", "Waiting.")
        gauge.set(5)
        gauge.add(-2)
        assert shown(metrics)["waiting"] == 3

    def test_a_histogram_counts_each_value_in_every_bucket_that_holds_it(self, make: Make) -> None:
        metrics = make()
        histogram = metrics.histogram("took_seconds", "Time.", (0.1, 1.0), route="/a")
        for value in (0.05, 0.1, 0.5, 7.0):
            histogram.observe(value)
        found = shown(metrics)
        buckets = [found[f'took_seconds_bucket{{le="{le}",route="/a"}}'] for le in ("0.1", "1.0", "+Inf")]
        assert buckets == [2, 3, 4]
        assert found['took_seconds_count{route="/a"}'] == 4
        assert found['took_seconds_sum{route="/a"}'] == pytest.approx(7.65)

    def test_values_of_labels_are_escaped(self, make: Make) -> None:
        metrics = make()
        metrics.counter("odd", "Odd.", name='a"b\\c\nd').add()
        assert shown(metrics)['odd_total{name="a\\"b\\\\c\\nd"}'] == 1

    def test_a_name_has_one_kind_and_one_set_of_labels(self, make: Make) -> None:
        metrics = make()
        metrics.counter("things", "Things.", kind="a")
        with pytest.raises(ValueError, match="things is a counter with the labels"):
            metrics.gauge("things", "Things.", kind="a")
        with pytest.raises(ValueError, match="things is a counter with the labels"):
            metrics.counter("things", "Things.")

    def test_two_sets_share_nothing(self, make: Make) -> None:
        one, two = make(), make()
        one.counter("requests", "Requests.").add()
        two.counter("requests", "Requests.").add(5)
        assert (shown(one)["requests_total"], shown(two)["requests_total"]) == (1, 5)

    def test_threads_lose_no_count(self, make: Make) -> None:
        metrics = make()

        def work() -> None:
            for _ in range(2_000):
                metrics.counter("requests", "Requests.").add()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert shown(metrics)["requests_total"] == 8_000
