"""The contract of metrics over its adapters."""

from __future__ import annotations

import pytest

from loom.adapters.memory.metrics import MemoryMetrics
from loom.adapters.prometheus.metrics import PrometheusMetrics
from loom.testing.contracts.metrics import Make, MetricsContract


class TestMemoryMetrics(MetricsContract):
    @pytest.fixture
    def make(self) -> Make:
        return MemoryMetrics


class TestPrometheusMetrics(MetricsContract):
    @pytest.fixture
    def make(self) -> Make:
        return lambda: PrometheusMetrics(process=False)

    def test_the_process_is_measured_where_it_is_asked_for(self) -> None:
        _, body = PrometheusMetrics(process=True).exposition()
        assert b"process_resident_memory_bytes" in body
        assert b"python_gc_collections_total" in body
