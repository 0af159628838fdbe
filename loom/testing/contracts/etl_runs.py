"""The contract of runs: order, failures, temporary results, and what is reported."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import pytest

from loom.application.etl.declare import ETLStep
from loom.application.etl.from_table import FromTable
from loom.application.etl.into_table import IntoTable
from loom.application.etl.temp import FromTemp, IntoTemp
from loom.domain.errors import StepFailed
from loom.domain.expr import col
from loom.ports.etl import RunState
from loom.testing.contracts.etl_lab import FIRST, Day, EtlBench, EtlLab
from loom.testing.contracts.etl_steps import AfterOut, FailAtOnce, FailWhileReading, ReplaceByToday


class KeepTotals(ETLStep[Day]):
    """Keeps totals for the steps after it."""

    orders = FromTable("raw.orders")
    target = IntoTemp("totals")

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders.group_by("day").agg(total=nw.col("amount").sum())


class BigDays(ETLStep[Day]):
    """Reads what another step has kept."""

    totals = FromTemp("totals").where(col("total") > 10)
    target = IntoTable("big_days").replace()

    def execute(self, *, totals: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return totals


class RunContract(EtlBench):
    """Order, failures, temporary results."""

    def fill(self, lab: EtlLab) -> None:
        """Orders of one day."""
        lab.fill("raw.orders", {"id": 1, "day": FIRST, "amount": 10}, {"id": 2, "day": FIRST, "amount": 20})

    def test_a_step_runs_after_what_it_reads_wherever_it_stands(self, lab: EtlLab) -> None:
        """Tables make the order; the report counts what went in and out."""
        self.fill(lab)
        report = lab.run(AfterOut, ReplaceByToday)
        assert [step.step for step in report.steps] == ["Process.ReplaceByToday", "Process.AfterOut"]
        assert report.state is RunState.SUCCEEDED
        outcome = report.steps[1].outcome
        assert outcome is not None
        assert (outcome.rows_in, outcome.rows_out, outcome.version) == (2, 2, 0)
        assert outcome.bytes_out is not None
        assert outcome.bytes_out > 0
        assert list(lab.log.runs()) == [report]

    @pytest.mark.parametrize("failing", [FailAtOnce, FailWhileReading])
    def test_a_step_that_fails_leaves_its_table_and_stops_the_run(
        self, lab: EtlLab, failing: type[ETLStep[Any]]
    ) -> None:
        """Whether it fails at once or in the middle of its rows: the old table is there, and no later step starts."""
        self.fill(lab)
        lab.run(ReplaceByToday)
        before = lab.engine.tables.state("out")
        with pytest.raises(
            StepFailed, match=rf"step Process.{failing.__name__} \(.*etl_steps.py:\d+\) failed: "
        ) as caught:
            lab.run(failing, AfterOut)
        assert caught.value.__cause__ is not None
        assert lab.engine.tables.state("out") == before
        assert "after" not in lab.engine.tables.names()
        report = lab.log.runs()[0]
        assert (report.state, [step.state for step in report.steps]) == (
            RunState.FAILED,
            [RunState.FAILED, RunState.SKIPPED],
        )

    def test_a_step_that_fails_makes_no_table(self, lab: EtlLab) -> None:
        """The first run of a step fails like any other."""
        self.fill(lab)
        with pytest.raises(StepFailed):
            lab.run(FailWhileReading)
        assert list(lab.engine.tables.names()) == ["raw.orders"]

    def test_a_temporary_result_is_read_by_later_steps_and_gone_afterwards(self, lab: EtlLab) -> None:
        """Nothing of it stays in the lake."""
        self.fill(lab)
        lab.run(BigDays, KeepTotals)
        assert lab.rows("big_days") == [{"day": FIRST, "total": 30}]
        left = [
            path for path in lab.folder.rglob("*") if path.is_file() and "temp" in path.relative_to(lab.folder).parts
        ]
        assert left == []

    def test_included_steps_run_alone(self, lab: EtlLab) -> None:
        """The others are left out, and what they wrote before is read."""
        self.fill(lab)
        lab.run(ReplaceByToday)
        report = lab.run(ReplaceByToday, AfterOut, include=["AfterOut"])
        assert [step.step for step in report.steps] == ["Process.AfterOut"]
        assert len(lab.rows("after")) == 2
