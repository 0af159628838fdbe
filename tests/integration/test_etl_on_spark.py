"""What the Spark engine promises beyond the contract: sessions of others, its own frames, how tables are laid out."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from loom.domain.errors import EngineFailure, StepFailed
from loom.etl import ETLParams, ETLPipeline, ETLProcess, ETLRunner, ETLStep, FromTable, IntoTable, params

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


class Month(ETLParams):
    month: int
    name: str = "x"


class Doubled(ETLStep[Month]):
    """A step of Spark's own frames, with narrow and wide types in it."""

    orders = FromTable("orders").columns("id", "month", "amount")
    target = IntoTable("doubled").replace_partition(month=params.month)

    def execute(self, params: Month, *, orders: DataFrame) -> DataFrame:
        doubled = f.col("amount") * 2
        return orders.filter(f.col("month") == params.month).select(
            "id", "month", doubled.cast("float").alias("amount")
        )


class Into(ETLStep[Month]):
    """Writes into a table that was not laid out by month."""

    orders = FromTable("orders").columns("id", "month")
    target = IntoTable("flat").replace_partition(month=params.month)

    def execute(self, params: Month, *, orders: DataFrame) -> DataFrame:
        return orders.filter(f.col("month") == params.month).limit(1)


class Named(Into):
    target = IntoTable("named").replace_partitions("name")

    def execute(self, params: Month, *, orders: DataFrame) -> DataFrame:
        return orders.withColumn("name", f.lit(params.name))


def once(*steps: type[ETLStep[Any]]) -> type[ETLPipeline[Month]]:
    class Once(ETLProcess[Month]):
        pass

    class Pipeline(ETLPipeline[Month]):
        processes = [Once]

    Once.steps = list(steps)
    return Pipeline


@pytest.fixture
def runner(spark: "SparkSession", tmp_path: Path) -> ETLRunner:
    found = ETLRunner.from_spark(spark, tables=str(tmp_path / "lake"))
    rows = [{"id": number, "month": 1 + number % 2, "amount": number / 2} for number in range(10)]
    found.tables.append("orders", rows)
    return found


def test_a_given_session_is_used_and_left_alone(runner: ETLRunner, spark: "SparkSession", tmp_path: Path) -> None:
    """Its owner goes on with it; the rows have the types that a lake holds, whatever width the step gave them."""
    report = runner.run(once(Doubled), Month(month=1))
    runner.close()
    assert spark.range(2).count() == 2
    rows = sorted(runner.tables.rows("doubled"), key=lambda row: str(row["id"]))
    assert rows == [{"id": number, "month": 1, "amount": float(number)} for number in range(0, 10, 2)]
    assert {name: kind and kind.value for name, kind in (runner.tables.schema("doubled") or {}).items()} == {
        "id": "int",
        "month": "int",
        "amount": "float",
    }
    assert list(runner.log.runs()) == [report]
    assert (tmp_path / "lake" / "_loom" / "runs").is_dir()


def test_a_partition_is_a_folder_that_the_next_version_leaves_out(runner: ETLRunner, tmp_path: Path) -> None:
    for month in (1, 2, 1):
        runner.run(once(Doubled), Month(month=month))
    assert len(list(runner.tables.rows("doubled"))) == 10
    months = [path.name for path in (tmp_path / "lake" / "doubled").glob("loom_part=*/*") if path.is_dir()]
    assert sorted(months) == ["month=1", "month=1", "month=2"]


def test_a_partition_of_a_table_that_is_laid_out_otherwise_is_replaced_too(runner: ETLRunner) -> None:
    """Its other rows are written anew."""
    runner.tables.append("flat", [{"id": number, "month": month} for number, month in ((7, 1), (8, 2), (9, None))])
    runner.run(once(Into), Month(month=1))
    rows = sorted(runner.tables.rows("flat"), key=lambda row: repr(row["month"]))
    assert [row["month"] for row in rows] == [1, 2, None]
    assert rows[0]["id"] != 7


def test_any_text_but_the_empty_one_names_a_partition(runner: ETLRunner) -> None:
    """Spark's folders cannot tell the empty text from null, so it is refused rather than lost."""
    for name in ("it's / 100%", "other", "it's / 100%"):
        runner.run(once(Named), Month(month=1, name=name))
    names = [row["name"] for row in runner.tables.rows("named")]
    assert (names.count("it's / 100%"), names.count("other")) == (10, 10)
    with pytest.raises(StepFailed, match="partition column 'name' of table 'named' holds an empty text"):
        runner.run(once(Named), Month(month=1, name=""))


def test_a_session_that_turns_faults_into_nulls_is_refused(spark: "SparkSession", tmp_path: Path) -> None:
    lax = spark.newSession()
    lax.conf.set("spark.sql.ansi.enabled", "false")
    with pytest.raises(EngineFailure, match=r"turns values that cannot be cast into nulls\. set spark\.sql\.ansi"):
        ETLRunner.from_spark(lax, tables=str(tmp_path))


def test_times_are_utc_whatever_the_session_says(spark: "SparkSession", tmp_path: Path) -> None:
    """A session of another time zone stores and gives the same moments."""
    other = spark.newSession()
    other.conf.set("spark.sql.session.timeZone", "America/New_York")
    runner = ETLRunner.from_spark(other, tables=str(tmp_path))
    moment = dt.datetime(2013, 1, 1, 12, 0, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    runner.tables.append("moments", [{"at": moment}])
    (row,) = runner.tables.rows("moments")
    assert row["at"] == moment
    assert isinstance(row["at"], dt.datetime)
    assert row["at"].tzinfo is dt.UTC
