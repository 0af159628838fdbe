"""The steps that the contract runs. All are portable, so that any engine can run them."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from loom.application.etl.declare import ETLStep
from loom.application.etl.from_table import FromTable
from loom.application.etl.into_table import IntoTable
from loom.domain.expr import col, params
from loom.testing.contracts.etl_lab import Day

Frame = nw.LazyFrame[Any]


class Today(ETLStep[Day]):
    """Passes the orders of the run's day on; subclasses say where to."""

    orders = FromTable("raw.orders").columns("id", "day", "amount").where(col("day") == params.day)

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders


class AppendToday(Today):
    target = IntoTable("out").append()


class AppendTodayAlways(Today):
    target = IntoTable("out").append(once=False)


class ReplaceByToday(Today):
    target = IntoTable("out").replace()


class ReplaceToday(Today):
    target = IntoTable("out").replace_partition(day=params.day)


class UpsertToday(Today):
    target = IntoTable("out").upsert(keys="id")


class ReplaceDays(ETLStep[Day]):
    orders = FromTable("raw.orders")
    target = IntoTable("out").replace_partitions("day")

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders


class ReplaceTodayByAll(ReplaceDays):
    target = IntoTable("out").replace_partition(day=params.day)


class UpsertAll(ReplaceDays):
    target = IntoTable("out").upsert(keys=("id",))


class ReplaceByTotals(ETLStep[Day]):
    orders = FromTable("raw.orders")
    target = IntoTable("out").replace()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders.group_by("day").agg(total=nw.col("amount").sum(), orders=nw.len())


class FailAtOnce(ETLStep[Day]):
    orders = FromTable("raw.orders")
    target = IntoTable("out").replace()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        raise ZeroDivisionError("nobody counted on this")


class FailWhileReading(ETLStep[Day]):
    """Its frame is fine until its rows are read: then a text is no number."""

    orders = FromTable("raw.orders")
    target = IntoTable("out").replace()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders.select("id", note=nw.lit("ten")).select("id", note=nw.col("note").cast(nw.Int64))


class AfterOut(ETLStep[Day]):
    out = FromTable("out")
    target = IntoTable("after").replace()

    def execute(self, *, out: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return out
