"""Bad pipelines are refused before anything runs, with every fault at once and in the user's own names."""

import inspect
import re
from typing import Any

import pytest

from loom.application.compile import Issues
from loom.application.etl.compile import compile_pipeline
from loom.application.etl.declare import ETLProcess, ETLStep
from loom.application.etl.frames import PORTABLE, SPARK
from loom.application.etl.into_table import TableTarget
from loom.application.etl.plan import Resource
from loom.application.etl.temp import TempSource, TempTarget
from loom.application.etl.writes import Append, Upsert
from loom.domain.errors import CompileError
from loom.domain.schema import Kind
from loom.etl import ETLParams, FromTable, IntoTable, params
from tests.unit.etl import etl_steps as s
from tests.unit.etl.etl_fakes import FakeEngine, FakeFiles, FakeTables, compiled, faults, pipeline, told

ORDERS = {"id": Kind.INT, "amount": Kind.DECIMAL, "run_date": Kind.DATE, "note": Kind.STRING}


def engine(**changes: Any) -> FakeEngine:
    return FakeEngine(tables=FakeTables({"raw.orders": ORDERS}), **changes)


def run_pipeline(*steps: Any) -> Any:
    return pipeline(*steps, params=s.Run)


ALL_TOGETHER = """\
10 compile issues
LOOM-ETL-009 etl_steps.py (UnknownTable.orders)
    table 'raw.ordres' does not exist
    remedy: did you mean 'raw.orders'?
LOOM-ETL-012 etl_steps.py (MissingColumn.orders)
    table 'raw.orders': column 'amuont' does not exist
    remedy: did you mean 'amount'?
LOOM-ETL-013 etl_steps.py (WrongPredicates.orders)
    (col('amount') == 'ten') joins decimal with string
LOOM-ETL-013 etl_steps.py (WrongPredicates.orders)
    col('run_dat') does not exist
    remedy: did you mean 'run_date'?
LOOM-ETL-013 etl_steps.py (WrongPredicates.orders)
    params.run_dte does not exist
    remedy: did you mean 'run_date'?
LOOM-ETL-013 etl_steps.py (WrongPredicates.orders)
    payload.x does not exist
LOOM-ETL-013 etl_steps.py (WrongPredicates.more)
    col('amount') is decimal, but a condition is needed
LOOM-ETL-008 etl_steps.py (WrongEngine)
    WrongEngine is written for pyspark.sql.DataFrame, but the engine is fake
    remedy: annotate narwhals.LazyFrame or polars.LazyFrame, or set etl.adapter to the other engine
LOOM-ETL-016 etl_steps.py (Enrich)
    Daily.Clean and Daily.Enrich stand in one parallel group, but Daily.Enrich reads table 'clean', which Daily.Clean writes
    remedy: take one of them out of the nested list
LOOM-ETL-017 Pipeline
    2 steps wait for each other: Daily.Back reads table 'there', which Daily.There writes; Daily.There reads table 'back', which Daily.Back writes
    remedy: let one of them write another table"""  # noqa: E501 - the text as it is printed


def test_all_faults_of_all_steps_are_told_together() -> None:
    """One error, told before anything was started or written."""
    fake, issues = engine(), Issues()
    steps = [s.UnknownTable, s.MissingColumn, s.WrongPredicates, s.WrongEngine, [s.Clean, s.Enrich], s.There, s.Back]
    assert compile_pipeline(run_pipeline(*steps), issues, fake) is None
    with pytest.raises(CompileError) as caught:
        issues.raise_if_any()
    assert re.sub(r"\S*/(\w+\.py):\d+", r"\1", str(caught.value)) == ALL_TOGETHER
    assert (fake.began, fake.open_runs) == ([], 0)


def test_a_fault_stands_at_the_line_of_its_source() -> None:
    lines = inspect.getsource(s).splitlines()
    line = 1 + next(number for number, text in enumerate(lines) if 'FromTable("raw.ordres")' in text)
    (found,) = faults(run_pipeline(s.UnknownTable), engine())
    assert str(found.where) == f"{s.__file__}:{line} (UnknownTable.orders)"


CASES: list[tuple[Any, list[str]]] = [
    (s.UnknownTable, ["LOOM-ETL-009 table 'raw.ordres' does not exist | did you mean 'raw.orders'?"]),
    (
        s.WrongSources,
        [
            "LOOM-ETL-010 file 'fligths' does not exist | did you mean 'flights'?",
            "LOOM-ETL-005 source 'order' does not exist | did you mean 'orders'?",
            "LOOM-ETL-006 source 'orders' is not taken by execute() | rename 'order' to 'orders'",
            "LOOM-ETL-006 source 'flights' is not taken by execute() | add *, flights: <frame>, or remove the source",
        ],
    ),
    (
        s.WrongFrames,
        [
            (
                "LOOM-ETL-007 source 'orders' of execute() is an eager frame"
                " | annotate polars.LazyFrame: rows are only read when they are written"
            ),
            (
                "LOOM-ETL-007 source 'more' of execute() is not annotated as a frame"
                " | annotate one of: narwhals.LazyFrame, polars.LazyFrame, pyspark.sql.DataFrame"
            ),
        ],
    ),
    (
        s.MixedFrames,
        [
            (
                "LOOM-ETL-007 execute() mixes kinds of frames (orders: narwhals.LazyFrame, return: polars.LazyFrame)"
                " | use one kind in a step"
            )
        ],
    ),
    (
        s.WrongWrites,
        [
            "LOOM-ETL-012 table 'raw.orders': column 'run_dte' does not exist | did you mean 'run_date'?",
            "LOOM-ETL-013 (col('note') == params.limit) joins string with int | ",
            (
                "LOOM-ETL-015 the partition value of 'id' is col('id'), which is neither a constant nor of params"
                " | write replace_partition(id=params.<name>)"
            ),
        ],
    ),
    (
        s.NoMode,
        ["LOOM-ETL-018 'no mode' cannot be the name of a table | use letters, digits and _, joined by ."],
    ),
    (
        s.NoTarget,
        [
            "LOOM-ETL-003 NoTarget has no target | set target = IntoTable(...), IntoFile(...) or IntoTemp(...)",
            (
                "LOOM-ETL-022 NoTarget cannot be made without client"
                " | a step is made without arguments; give it what it needs as params"
            ),
            "LOOM-ETL-005 NoTarget has no execute() | write def execute(self, params, *, <source>: <frame>) -> <frame>",
        ],
    ),
    (s.NoKeys, ["LOOM-ETL-015 upsert() into 'no_keys' has no keys | write upsert(keys=(\"column\",))"]),
    (
        s.NoModel,
        [
            "LOOM-ETL-020 int is not an attrs class | give the name of a table, or an entity",
            "LOOM-ETL-011 temporary result 'scroes' does not exist | none are declared",
            "LOOM-ETL-010 file format 'xlsx' does not exist | known: csv, ndjson, parquet",
        ],
    ),
]


@pytest.mark.parametrize(("step", "expected"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_each_fault_says_what_and_what_to_do(step: type[ETLStep[Any]], expected: list[str]) -> None:
    files = FakeFiles({"flights": "/data/flights.csv"})
    assert told(run_pipeline(step), engine(files=files)) == expected


def test_a_write_without_a_mode_lists_the_modes() -> None:
    class Silent(s.Enrich):
        target = IntoTable("rich")

    (found,) = faults(run_pipeline(s.Clean, Silent), engine())
    assert (found.code, found.message) == ("LOOM-ETL-014", "table 'rich' is written, but not said how")
    modes = ".append(), .replace(), .replace_partition(...), .replace_partitions(...) or .upsert(...)"
    assert found.remedy == f"add {modes}"


def test_a_step_of_another_engine_is_refused() -> None:
    spark = engine(frames=frozenset({SPARK, PORTABLE}), name="spark")
    (found,) = faults(run_pipeline(s.Clean), spark)
    assert found.message == "Clean is written for polars.LazyFrame, but the engine is spark"
    assert (
        found.remedy == "annotate narwhals.LazyFrame or pyspark.sql.DataFrame, or set etl.adapter to the other engine"
    )


def test_what_the_engine_cannot_read_or_write_is_refused() -> None:
    """A kind that one engine lacks is found before a run, not in the middle of it."""
    small = engine(refuses=(TempTarget, TempSource))
    assert told(run_pipeline(s.Clean, s.Enrich, s.Score, s.Export), small) == [
        "LOOM-ETL-024 the fake engine cannot write this IntoTemp | use another kind, or another etl.adapter",
        "LOOM-ETL-024 the fake engine cannot read this FromTemp | use another kind, or another etl.adapter",
    ]


def test_append_in_a_run_without_parameters_must_say_what_it_means() -> None:
    """Two runs with equal parameters append once, so that a run without any would append once for ever."""
    (found,) = faults(pipeline(s.AppendWithoutParameters), engine())
    assert found.code == "LOOM-ETL-019"

    class Always(s.AppendWithoutParameters):
        target = IntoTable("appended").append(once=False)

    compiled(pipeline(Always), engine())


def test_a_model_is_checked_against_the_table_that_the_lake_holds() -> None:
    """A column that the model needs and the stored table lacks is a fault; one with a default is not."""
    old = FakeEngine(tables=FakeTables({"raw.orders": {"id": Kind.INT, "run_date": Kind.DATE}}))

    class All(s.Enrich):
        clean = FromTable(s.Order)

    assert told(run_pipeline(All), old) == [
        "LOOM-ETL-012 table 'raw.orders' has no column 'amount', which Order declares | it has: id, run_date"
    ]


def test_what_a_step_writes_by_a_model_is_known_to_its_readers() -> None:
    """Also where the reader names the table and not the model."""

    class Write(s.Enrich):
        clean = FromTable("raw.orders")
        target = IntoTable(s.Order).upsert()

    class Read(s.Enrich):
        clean = FromTable("raw.orders").columns("amont")

    found = told(run_pipeline(Write, Read), engine())
    assert found == ["LOOM-ETL-012 table 'raw.orders': column 'amont' does not exist | did you mean 'amount'?"]


def test_upsert_takes_the_keys_of_the_model() -> None:
    class Write(s.Enrich):
        clean = FromTable(s.Order)
        target = IntoTable(s.Order).upsert()

    target = compiled(run_pipeline(Write), engine()).steps[0].target
    assert isinstance(target, TableTarget)
    assert target.mode == Upsert(("id",))


def test_parameters_of_another_pipeline_are_refused() -> None:
    class Other(ETLParams):
        run_date: int

    assert told(pipeline(s.Clean, params=Other), engine())[0] == (
        "LOOM-ETL-002 Clean takes Run, but Pipeline runs with Other | write class Clean(ETLStep[Other])"
    )


def test_what_is_no_step_and_no_process_is_refused() -> None:
    class Empty(ETLProcess[s.Run]):
        pass

    declared = run_pipeline(s.Clean, s.Clean, s.Clean(), int)
    declared.processes = [*declared.processes, Empty, "Daily"]
    found = told(declared, engine())
    assert [each.partition(" | ")[0] for each in found] == [
        f"LOOM-ETL-001 {declared.processes[0].steps[2]!r} in steps is not an ETLStep",
        "LOOM-ETL-001 int in steps is not an ETLStep",
        "LOOM-ETL-001 Empty has no steps",
        "LOOM-ETL-001 'Daily' in processes is not an ETLProcess",
        "LOOM-ETL-023 Daily.Clean stands twice in its pipeline",
    ]


def test_an_unknown_part_is_refused() -> None:
    assert told(run_pipeline(s.Clean, s.Enrich), engine(), "Enrihc") == [
        "LOOM-ETL-021 included step or process 'Enrihc' does not exist | did you mean 'Enrich'?"
    ]


def test_a_part_whose_table_was_never_written_is_refused() -> None:
    """What is left out of the run does not count as written by it."""
    declared = run_pipeline(s.Clean, s.Enrich)
    assert told(declared, engine(), "Enrich")[0].startswith("LOOM-ETL-009 table 'clean' does not exist")
    there = FakeEngine(tables=FakeTables({"raw.orders": ORDERS, "clean": {"id": Kind.INT}}))
    assert [step.name for step in compiled(declared, there, "Enrich").steps] == ["Daily.Enrich"]


def test_appending_after_a_partition_was_replaced_in_the_same_run_is_not_once() -> None:
    """The replacement took what was appended before; else the mode stays as declared."""

    class More(s.Clean):
        target = IntoTable("clean").append()

    first, second = compiled(run_pipeline(s.Clean, More), engine()).steps
    assert isinstance(second.target, TableTarget)
    assert (first.name, second.target.mode) == ("Daily.Clean", Append(once=False))
    (alone,) = compiled(run_pipeline(More), engine()).steps
    assert isinstance(alone.target, TableTarget)
    assert alone.target.mode == Append(once=True)


def test_a_plan_says_what_is_read_and_written_and_in_which_order() -> None:
    plan = compiled(run_pipeline(s.Export, [s.Enrich, s.Score], s.Clean), engine())
    assert plan.params is s.Run
    assert {step.name: step.after for step in plan.steps} == {
        "Daily.Clean": (),
        "Daily.Enrich": ("Daily.Clean",),
        "Daily.Score": ("Daily.Clean",),
        "Daily.Export": ("Daily.Enrich", "Daily.Score"),
    }
    export = plan.steps[-1]
    assert export.reads == (Resource("table", "rich"), Resource("temporary result", "scores"))
    assert export.writes == Resource("file", "export.csv")
    assert (plan.steps[0].takes_params, export.takes_params) == (True, False)


def test_a_partition_value_may_be_a_constant() -> None:
    class Fixed(s.Clean):
        target = IntoTable("clean").replace_partition(run_date=params.run_date, region="EU")

    compiled(run_pipeline(Fixed), engine())
