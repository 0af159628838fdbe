"""The record of runs survives the process, also one that was killed while it wrote."""

import datetime as dt
from pathlib import Path

import pytest

from loom.adapters.files.run_log import JsonLinesRunLog
from loom.adapters.memory.run_log import MemoryRunLog
from loom.domain.errors import EngineFailure
from loom.ports.etl import RunLog, RunReport, RunState, StepOutcome, StepReport

OUTCOME = StepOutcome(rows_in=None, rows_out=2, bytes_out=10, version=3, note="nothing new")


def report(number: int, state: RunState = RunState.SUCCEEDED) -> RunReport:
    return RunReport(
        run_id=f"run-{number}",
        pipeline="Daily",
        engine="fake",
        params={"day": "2013-01-05"},
        state=state,
        started_at=dt.datetime(2013, 1, number, tzinfo=dt.UTC),
        seconds=1.5,
        steps=(StepReport(step="P.S", state=state, seconds=1.0, outcome=OUTCOME, error="none"),),
    )


@pytest.fixture(params=["memory", "json lines"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> RunLog:
    return MemoryRunLog() if request.param == "memory" else JsonLinesRunLog(tmp_path / "runs")


def test_the_newest_report_of_each_run_comes_back_latest_run_first(log: RunLog) -> None:
    assert log.runs() == []
    for number in (1, 3, 2):
        log.record(report(number, RunState.RUNNING))
        log.record(report(number))
    assert list(log.runs()) == [report(3), report(2), report(1)]
    assert list(log.runs(limit=1)) == [report(3)]


def test_half_a_line_does_not_hide_the_report_before_it(tmp_path: Path) -> None:
    log = JsonLinesRunLog(tmp_path)
    log.record(report(1, RunState.RUNNING))
    (path,) = tmp_path.iterdir()
    with path.open("a", encoding="utf-8") as file:
        file.write('{"run_id": "run-1", "pipe')
    assert list(log.runs()) == [report(1, RunState.RUNNING)]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineFailure, match="the run log cannot be written: "):
        JsonLinesRunLog(tmp_path / "file" / "runs").record(report(1))
