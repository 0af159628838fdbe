"""Running a plan: order, parallel steps, failures, progress, and what is recorded."""

import datetime as dt
import threading
from typing import Any

import attrs
import pytest

from loom.adapters.memory.run_log import MemoryRunLog
from loom.application.etl.executor import EtlExecutor
from loom.application.etl.plan import StepPlan
from loom.application.etl.progress import ProgressEvent, RunFinished, RunStarted, StepFinished, StepStarted
from loom.domain.errors import BrokenContract, InvalidInput, StepFailed
from loom.domain.schema import Kind
from loom.etl import FromTable, IntoTable, RunReport, RunState, StepOutcome
from loom.testing.clock import START, FakeClock
from tests.unit.etl import etl_steps as s
from tests.unit.etl.etl_fakes import FakeEngine, FakeTables, compiled, pipeline

DAY = s.Run(run_date=dt.date(2013, 1, 5))


class Alone(s.Enrich):
    clean = FromTable("raw.orders")
    target = IntoTable("alone").replace()


class AlsoAlone(s.Enrich):
    clean = FromTable("raw.orders")
    target = IntoTable("also_alone").replace()


@attrs.define
class Bench:
    """An executor over the fake engine, and what it told."""

    engine: FakeEngine
    log: MemoryRunLog = attrs.field(factory=MemoryRunLog)
    events: list[ProgressEvent] = attrs.field(factory=list)
    parallel: int = 2

    def run(self, *steps: Any, params: object = DAY) -> RunReport:
        plan = compiled(pipeline(*steps, params=s.Run), self.engine)
        executor = EtlExecutor(engine=self.engine, log=self.log, clock=FakeClock(), parallel=self.parallel)
        return executor.run(plan, params, self.events.append)


@pytest.fixture
def bench() -> Bench:
    return Bench(FakeEngine(tables=FakeTables({"raw.orders": {"id": Kind.INT}})))


ORDERS = {"id": Kind.INT, "amount": Kind.DECIMAL, "run_date": Kind.DATE}


@pytest.fixture
def orders(bench: Bench) -> None:
    bench.engine.tables.columns["raw.orders"] = ORDERS


@pytest.mark.usefixtures("orders")
def test_a_run_tells_and_records_every_step(bench: Bench) -> None:
    report = bench.run(s.Enrich, s.Clean)
    assert (report.state, report.pipeline, report.engine, report.started_at) == (
        RunState.SUCCEEDED,
        "Pipeline",
        "fake",
        START,
    )
    assert report.params == {"run_date": "2013-01-05", "limit": "10"}
    assert [(step.step, step.state, step.outcome) for step in report.steps] == [
        ("Daily.Clean", RunState.SUCCEEDED, StepOutcome(rows_in=1, rows_out=2)),
        ("Daily.Enrich", RunState.SUCCEEDED, StepOutcome(rows_in=1, rows_out=2)),
    ]
    assert [type(event) for event in bench.events] == [
        RunStarted,
        StepStarted,
        StepFinished,
        StepStarted,
        StepFinished,
        RunFinished,
    ]
    assert bench.log.runs() == [report]
    assert bench.engine.open_runs == 0


def test_independent_steps_run_at_the_same_time(bench: Bench) -> None:
    """Each waits for the other to have begun: one after the other they would never end."""
    meeting = threading.Barrier(2)

    def work(step: StepPlan, params: object) -> None:
        meeting.wait(timeout=30)

    bench.engine.work = work
    assert bench.run(Alone, AlsoAlone).state is RunState.SUCCEEDED


def test_no_more_steps_run_at_a_time_than_allowed(bench: Bench) -> None:
    running: list[str] = []
    seen: list[int] = []

    def work(step: StepPlan, params: object) -> None:
        running.append(step.name)
        seen.append(len(running))
        running.remove(step.name)

    bench.engine.work, bench.parallel = work, 1
    bench.run(Alone, AlsoAlone)
    assert seen == [1, 1]
    kinds = [type(event) for event in bench.events]
    assert kinds[1:5] == [StepStarted, StepFinished, StepStarted, StepFinished]


@pytest.mark.usefixtures("orders")
def test_a_failure_stops_later_steps_and_is_told_with_step_place_and_cause(bench: Bench) -> None:
    """Steps under way are finished first; those that had not begun are skipped."""
    alone_began, cause = threading.Event(), ZeroDivisionError("nobody counted on this")

    def work(step: StepPlan, params: object) -> None:
        if step.name == "Daily.Alone":
            alone_began.set()
        if step.name == "Daily.Clean":
            alone_began.wait(30)
            raise cause

    bench.engine.work = work
    with pytest.raises(StepFailed) as caught:
        bench.run(s.Clean, s.Enrich, Alone)
    assert caught.value.__cause__ is cause
    assert caught.value.message.startswith(f"step Daily.Clean ({s.__file__}:")
    assert caught.value.message.endswith(") failed: ZeroDivisionError: nobody counted on this")
    assert caught.value.remedy == "what it was to write, table 'clean', is as it was before"
    (report,) = bench.log.runs()
    assert report.state is RunState.FAILED
    assert {step.step: (step.state, step.error) for step in report.steps} == {
        "Daily.Clean": (RunState.FAILED, "ZeroDivisionError: nobody counted on this"),
        "Daily.Alone": (RunState.SUCCEEDED, ""),
        "Daily.Enrich": (RunState.SKIPPED, ""),
    }
    assert bench.engine.open_runs == 0


@pytest.mark.usefixtures("orders")
def test_an_error_of_ours_is_told_without_the_name_of_its_class(bench: Bench) -> None:
    def work(step: StepPlan, params: object) -> None:
        raise BrokenContract("2 rows have no 'id'", remedy="nothing was written")

    bench.engine.work = work
    with pytest.raises(StepFailed, match=r"failed: 2 rows have no 'id'\. nothing was written\. what it was to write"):
        bench.run(s.Clean)


@pytest.mark.usefixtures("orders")
def test_parameters_of_another_class_start_nothing(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match="Pipeline runs with Run, not str"):
        bench.run(s.Clean, params="2013-01-05")
    assert (bench.engine.began, bench.log.runs()) == ([], [])
