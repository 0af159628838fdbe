"""The record of ETL runs as JSON lines: one file a run, one line a report, the last whole line counts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from loom.domain.errors import EngineFailure
from loom.ports.etl import RunReport, RunState, StepOutcome, StepReport


class JsonLinesRunLog:
    """Keeps runs in a folder. A run that was killed stays ``running`` with the steps that it had finished."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def record(self, report: RunReport) -> None:
        """Append the report to the file of its run.

        Raises:
            EngineFailure: the folder cannot be written.
        """
        line = json.dumps(attrs.asdict(report), default=_plain)
        # Named by time, so that the newest are found without opening the others.
        path = self._folder / f"{report.started_at:%Y%m%dT%H%M%S%f}-{report.run_id}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise EngineFailure(f"the run log cannot be written: {error}") from error

    def runs(self, *, limit: int = 20) -> Sequence[RunReport]:
        """The newest report of each run, latest start first."""
        if not self._folder.is_dir():
            return []
        newest = sorted(self._folder.glob("*.jsonl"), reverse=True)
        return [report for path in newest[:limit] for report in _last(path)]


def _last(path: Path) -> Iterator[RunReport]:
    for line in reversed(path.read_text(encoding="utf-8").splitlines()):
        try:
            yield _report(json.loads(line))
        except ValueError:
            # A process killed while writing leaves half a line; the one before it is whole.
            continue
        return


def _report(values: dict[str, Any]) -> RunReport:
    return RunReport(
        **values
        | {
            "state": RunState(values["state"]),
            "started_at": dt.datetime.fromisoformat(values["started_at"]),
            "steps": tuple(_step(step) for step in values["steps"]),
        }
    )


def _step(values: dict[str, Any]) -> StepReport:
    outcome = values["outcome"]
    return StepReport(
        **values | {"state": RunState(values["state"]), "outcome": StepOutcome(**outcome) if outcome else None}
    )


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON form")
