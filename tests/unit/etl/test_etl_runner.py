"""The runner: from YAML to an engine, and from a declaration to tables and a record of the run."""

from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import pytest

from loom.config.kernel import Kernel
from loom.domain.errors import CompileError, ConfigError
from loom.domain.expr import col
from loom.etl import (
    ETLParams,
    ETLPipeline,
    ETLProcess,
    ETLRunner,
    ETLStep,
    FromFile,
    FromTable,
    IntoTable,
    RunState,
    StepFinished,
    params,
)
from loom.ports.etl import EtlEngine
from tests.unit.etl.etl_fakes import FakeEngine


class Least(ETLParams):
    amount: int = 2


class Load(ETLStep[Least]):
    orders = FromFile("orders").where(col("amount") >= params.amount)
    target = IntoTable("orders").replace()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders


class Total(ETLStep[Least]):
    orders = FromTable("orders")
    target = IntoTable("total").replace()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders.select(nw.col("amount").sum())


class Daily(ETLProcess[Least]):
    steps = [Load, Total]


class Orders(ETLPipeline[Least]):
    processes = [Daily]


class Misspelt(Load):
    orders = FromFile("ordres")


class Broken(ETLPipeline[Least]):
    processes = [type("Once", (ETLProcess,), {"steps": [Misspelt, Total]})]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("id,amount\n1,1\n2,2\n3,3\n")
    path = tmp_path / "etl.yaml"
    path.write_text(
        f"etl:\n  adapter: polars\n  tables: {{uri: {tmp_path}/lake}}\n  files: {{orders: {tmp_path}/orders.csv}}\n"
    )
    return path


def test_a_runner_from_yaml_runs_and_keeps_the_record_in_the_lake(config: Path, tmp_path: Path) -> None:
    events: list[object] = []
    with ETLRunner.from_yaml(config) as runner:
        report = runner.run(Orders, Least(), progress=events.append)
    assert list(runner.tables.rows("total")) == [{"amount": 5}]
    assert (report.state, report.params) == (RunState.SUCCEEDED, {"amount": "2"})
    assert [event.report.step for event in events if isinstance(event, StepFinished)] == ["Daily.Load", "Daily.Total"]
    assert list(runner.tables.names()) == ["orders", "total"]
    # Another process finds the record.
    again = ETLRunner.from_yaml(config)
    assert list(again.log.runs()) == [report]
    assert [path.suffix for path in (tmp_path / "lake" / "_loom" / "runs").iterdir()] == [".jsonl"]


def test_an_override_wins_over_the_file(config: Path, tmp_path: Path) -> None:
    runner = ETLRunner.from_yaml(config, overrides=[f"etl.tables.uri={tmp_path}/other"])
    runner.run(Orders, Least(amount=3))
    assert list(runner.tables.rows("total")) == [{"amount": 3}]
    assert (tmp_path / "other" / "total").is_dir()
    assert not (tmp_path / "lake").exists()


def test_a_part_of_a_pipeline_can_be_run(config: Path) -> None:
    runner = ETLRunner.from_yaml(config)
    runner.run(Orders, Least(), include=["Load"])
    report = runner.run(Orders, Least(), include=["Daily.Total"])
    assert [step.step for step in report.steps] == ["Daily.Total"]


def test_a_pipeline_with_faults_starts_and_writes_nothing(config: Path, tmp_path: Path) -> None:
    runner = ETLRunner.from_yaml(config)
    with pytest.raises(CompileError, match="file 'ordres' does not exist\n    remedy: did you mean 'orders'"):
        runner.run(Broken, Least())
    assert not (tmp_path / "lake").exists()


def test_a_misspelt_key_is_told_with_the_nearest_one(config: Path) -> None:
    config.write_text("etl: {adapter: polars, tables: {url: ./lake}}")
    with pytest.raises(ConfigError, match="did you mean 'uri'"):
        ETLRunner.from_yaml(config)


def test_an_unknown_engine_is_told_with_those_there_are(config: Path) -> None:
    config.write_text("etl: {adapter: polarz}")
    with pytest.raises(ConfigError, match="etl adapter 'polarz' does not exist\n    remedy: did you mean 'polars'"):
        ETLRunner.from_yaml(config)


def test_a_kernel_gives_the_runner_what_is_bound_to_the_port(config: Path) -> None:
    """A test swaps the engine in one line."""
    kernel, fake = Kernel.from_yaml(config), FakeEngine()
    port: Any = EtlEngine
    with kernel.override(port, fake):
        assert ETLRunner.of(kernel).engine is fake
    assert ETLRunner.of(kernel).engine.name == "polars"


def test_an_alias_that_leads_nowhere_is_named_with_its_key(tmp_path: Path) -> None:
    class Load(ETLStep[ETLParams]):
        lines = FromFile("lines", "csv")
        target = IntoTable("lines").replace()

        def execute(self, *, lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
            return lines

    class Loading(ETLProcess[ETLParams]):
        steps = [Load]

    class Lines(ETLPipeline[ETLParams]):
        processes = [Loading]

    nowhere = tmp_path / "lines.csv"
    with (
        ETLRunner.from_yaml(overrides=[f"etl.files.lines={nowhere}"]) as runner,
        pytest.raises(CompileError) as caught,
    ):
        runner.plan(Lines)
    [issue] = caught.value.issues
    assert (issue.code, issue.message, issue.remedy) == (
        "LOOM-ETL-010",
        f"file 'lines' leads to '{nowhere}', which does not exist",
        "correct etl.files.lines",
    )
