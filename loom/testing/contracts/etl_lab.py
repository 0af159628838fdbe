"""A bench for ETL tests: one engine over a folder of its own, and short ways to run pipelines and look at tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from loom.adapters.memory.run_log import MemoryRunLog
from loom.application.compile import Issues
from loom.application.etl.compile import compile_pipeline
from loom.application.etl.declare import ETLPipeline, ETLProcess, ETLStep
from loom.application.etl.executor import EtlExecutor
from loom.application.etl.params import ETLParams
from loom.application.etl.plan import StepPlan
from loom.ports.etl import EtlEngine, RunReport
from loom.testing.clock import FakeClock

Row = dict[str, Any]


class Day(ETLParams):
    """Parameters of the pipelines here."""

    day: dt.date


FIRST, SECOND, THIRD = (dt.date(2013, 1, number) for number in (1, 2, 3))


@attrs.define
class EtlLab:
    """One engine under test and the log of what ran on it."""

    engine: EtlEngine[StepPlan]
    folder: Path
    log: MemoryRunLog = attrs.field(factory=MemoryRunLog)
    clock: FakeClock = attrs.field(factory=FakeClock)

    def run(self, *steps: type[ETLStep[Any]], day: dt.date = FIRST, include: Sequence[str] = ()) -> RunReport:
        """Compile and run the steps as one pipeline."""
        issues = Issues()
        plan = compile_pipeline(pipeline_of(*steps), issues, self.engine, include=include)
        issues.raise_if_any()
        assert plan is not None
        executor = EtlExecutor(engine=self.engine, log=self.log, clock=self.clock)
        self.clock.advance(1)
        return executor.run(plan, Day(day=day))

    def fill(self, table: str, *rows: Row, model: type | None = None) -> None:
        """Add rows to a table."""
        self.engine.tables.append(table, rows, model=model)

    def rows(self, table: str, *columns: str) -> list[Row]:
        """The rows of a table, sorted: a table has no order of its own."""
        return in_order([dict(row) for row in self.engine.tables.rows(table, columns=columns)])

    def digest(self, table: str) -> str:
        """The fingerprint of a table that exists."""
        state = self.engine.tables.state(table)
        assert state is not None
        return state.digest

    def write(self, name: str, text: str) -> Path:
        """A file for steps to read."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def pipeline_of(*steps: type[ETLStep[Any]]) -> type[ETLPipeline[Day]]:
    """A pipeline of one process with these steps."""

    class Process(ETLProcess[Day]):
        pass

    class Pipeline(ETLPipeline[Day]):
        processes = [Process]

    Process.steps = list(steps)
    return Pipeline


def in_order(rows: Sequence[Row]) -> list[Row]:
    """The rows, sorted by the text of their values from the first column on."""
    return sorted(rows, key=lambda row: [repr(value) for value in row.values()])


def only(rows: Sequence[Row], **values: object) -> list[Row]:
    """The rows that hold these values."""
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


class EtlBench:
    """What all parts of the contract share: the engine under test."""

    def make_engine(self, folder: Path, files: Mapping[str, str]) -> EtlEngine[StepPlan]:
        """Open the engine under test over a new lake. Called once a test; the suite closes what it returns.

        Args:
            folder: an empty folder for the lake.
            files: aliases of files.
        """
        raise NotImplementedError

    @pytest.fixture
    def lab(self, tmp_path: Path) -> Any:
        engine = self.make_engine(tmp_path / "lake", {"people": str(tmp_path / "people.csv")})
        yield EtlLab(engine=engine, folder=tmp_path)
        engine.close()
