"""The record of ETL runs in memory."""

from __future__ import annotations

from collections.abc import Sequence

from loom.ports.etl import RunReport


class MemoryRunLog:
    """Keeps the newest report of each run until the process ends."""

    def __init__(self) -> None:
        self._runs: dict[str, RunReport] = {}

    def record(self, report: RunReport) -> None:
        """Keep the report in the place of the one before."""
        self._runs[report.run_id] = report

    def runs(self, *, limit: int = 20) -> Sequence[RunReport]:
        """The newest report of each run, latest start first."""
        newest = sorted(self._runs.values(), key=lambda report: report.started_at, reverse=True)
        return newest[:limit]
