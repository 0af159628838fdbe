"""One meaning of every predicate: Polars and Spark give it the truth that the reference translation gives it."""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loom.domain.expr import Expr, col
from loom.domain.expr_python import mapping_getter, to_python
from loom.domain.schema import Kind
from loom.testing.expressions import COLUMNS, Row, expressions, row, rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def truths_by_python(table: list[Row], predicate: Expr) -> list[bool | None]:
    evaluate = to_python(predicate, mapping_getter)
    return [evaluate(each) for each in table]


def polars_frame(table: list[Row]) -> Any:
    import polars as pl

    types = {
        Kind.BOOL: pl.Boolean(),
        Kind.INT: pl.Int64(),
        Kind.FLOAT: pl.Float64(),
        Kind.DECIMAL: pl.Decimal(38, 2),
        Kind.STRING: pl.String(),
        Kind.DATE: pl.Date(),
        Kind.DATETIME: pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(table, schema={name: types[kind] for name, kind in COLUMNS.items()}, orient="row")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=rows(COLUMNS), predicate=expressions(COLUMNS))
def test_polars_agrees_with_python(table: list[Row], predicate: Expr) -> None:
    """True, false and null, each where Python says so."""
    from loom.adapters.polars.expressions import to_polars

    found = polars_frame(table).lazy().with_columns(truth=to_polars(predicate)).collect()["truth"].to_list()
    assert found == truths_by_python(table, predicate)


@pytest.mark.spark
def test_spark_agrees_with_python(spark: "SparkSession") -> None:
    """Many predicates are columns of one query, because one query costs more than many columns."""
    from pyspark.sql import types

    from loom.adapters.spark.expressions import to_spark

    spark_types = {
        Kind.BOOL: types.BooleanType(),
        Kind.INT: types.LongType(),
        Kind.FLOAT: types.DoubleType(),
        Kind.DECIMAL: types.DecimalType(38, 2),
        Kind.STRING: types.StringType(),
        Kind.DATE: types.DateType(),
        Kind.DATETIME: types.TimestampType(),
    }
    table = examples(row(COLUMNS), 40)
    schema = types.StructType([types.StructField(name, spark_types[kind]) for name, kind in COLUMNS.items()])
    frame = spark.createDataFrame([tuple(each[name] for name in COLUMNS) for each in table], schema).coalesce(1)
    for _ in range(2):
        predicates = examples(expressions(COLUMNS), 60)
        found = frame.select([to_spark(each).alias(f"p{number}") for number, each in enumerate(predicates)]).collect()
        for number, predicate in enumerate(predicates):
            assert [each[number] for each in found] == truths_by_python(table, predicate), predicate


def examples(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """That many random values."""
    found: list[Any] = []

    @settings(max_examples=count, database=None, phases=[Phase.generate], deadline=None)
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def test_a_reference_that_is_no_column_has_no_translation() -> None:
    """Parameters are bound to values before an engine sees the predicate."""
    from loom.adapters.polars.expressions import to_polars
    from loom.domain.expr import params

    with pytest.raises(TypeError, match=r"params\.day is not a column; bind it to a value before"):
        to_polars(col("day") == params.day)
