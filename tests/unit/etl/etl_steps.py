"""Steps as users write them, right and wrong; what is wrong with one stands in its name."""

from datetime import date
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
from pyspark.sql import DataFrame

from loom.domain.expr import col, params, payload
from loom.domain.model import entity, key
from loom.etl import ETLParams, ETLStep, FromFile, FromTable, FromTemp, IntoFile, IntoTable, IntoTemp

Frame = nw.LazyFrame[Any]


class Run(ETLParams):
    run_date: date
    limit: int = 10


@entity(table="raw.orders")
class Order:
    id: int = key()
    amount: Decimal
    run_date: date
    note: str | None = None


class Clean(ETLStep[Run]):
    orders = FromTable(Order).columns("id", "amount").where(col("run_date") == params.run_date)
    target = IntoTable("clean").replace_partition(run_date=params.run_date)

    def execute(self, params: Run, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class Enrich(ETLStep[Run]):
    clean = FromTable("clean")
    target = IntoTable("rich").replace()

    def execute(self, *, clean: pl.LazyFrame) -> pl.LazyFrame:
        return clean


class Score(ETLStep[Run]):
    clean = FromTable("clean")
    target = IntoTemp("scores")

    def execute(self, *, clean: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return clean


class Export(ETLStep[Run]):
    rich = FromTable("rich")
    scores = FromTemp("scores")
    target = IntoFile("export.csv")

    def execute(self, *, rich: pl.LazyFrame, scores: pl.LazyFrame) -> pl.LazyFrame:
        return rich


class UnknownTable(ETLStep[Run]):
    orders = FromTable("raw.ordres")
    target = IntoTable("out").replace()

    def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class MissingColumn(ETLStep[Run]):
    orders = FromTable(Order).columns("id", "amuont")
    target = IntoTable("missing_column").replace()

    def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class WrongEngine(ETLStep[Run]):
    orders = FromTable(Order)
    target = IntoTable("wrong_engine").replace()

    def execute(self, *, orders: DataFrame) -> DataFrame:
        return orders


class WrongPredicates(ETLStep[Run]):
    orders = FromTable(Order).where((col("amount") == "ten") & (col("run_dat") == params.run_dte) & payload.x)
    more = FromTable(Order).where(col("amount"))
    target = IntoTable("wrong_predicates").replace()

    def execute(self, *, orders: pl.LazyFrame, more: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class There(ETLStep[Run]):
    back = FromTable("back")
    target = IntoTable("there").replace()

    def execute(self, *, back: pl.LazyFrame) -> pl.LazyFrame:
        return back


class Back(ETLStep[Run]):
    there = FromTable("there")
    target = IntoTable("back").replace()

    def execute(self, *, there: pl.LazyFrame) -> pl.LazyFrame:
        return there


class WrongSources(ETLStep[Run]):
    orders = FromTable(Order)
    flights = FromFile("fligths")
    target = IntoTable("wrong_sources").replace()

    def execute(self, params: Run, *, order: pl.LazyFrame) -> pl.LazyFrame:
        return order


class WrongFrames(ETLStep[Run]):
    orders = FromTable(Order)
    more = FromTable(Order)
    target = IntoTable("wrong_frames").replace()

    def execute(self, *, orders: pl.DataFrame, more: int) -> pl.LazyFrame:
        return orders.lazy()


class MixedFrames(ETLStep[Run]):
    orders = FromTable(Order)
    target = IntoTable("mixed_frames").replace()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> pl.LazyFrame:
        return pl.LazyFrame()


class WrongWrites(ETLStep[Run]):
    orders = FromTable(Order)
    target = IntoTable(Order).replace_partition(run_dte=params.run_date, note=params.limit, id=col("id"))

    def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class NoMode(ETLStep[Run]):
    orders = FromTable(Order)
    target = IntoTable("no mode")

    def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class NoTarget(ETLStep[Run]):
    def __init__(self, client: object) -> None:
        self.client = client


class NoKeys(ETLStep[Run]):
    orders = FromTable(Order)
    target = IntoTable("no_keys").upsert()

    def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class AppendWithoutParameters(ETLStep[ETLParams]):
    orders = FromTable(Order)
    target = IntoTable("appended").append()

    def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
        return orders


class NoModel(ETLStep[Run]):
    orders = FromTable(int)
    scores = FromTemp("scroes")
    target = IntoFile("out.xlsx")

    def execute(self, *, orders: pl.LazyFrame, scores: pl.LazyFrame) -> pl.LazyFrame:
        return orders
