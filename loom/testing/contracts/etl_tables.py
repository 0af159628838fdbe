"""The contract of tables: how each write mode changes them, and that running again changes nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from loom.domain.errors import NotFound, StepFailed
from loom.testing.contracts.etl_lab import FIRST, SECOND, THIRD, EtlBench, EtlLab, Row, in_order, only
from loom.testing.contracts.etl_steps import (
    AppendToday,
    AppendTodayAlways,
    ReplaceByToday,
    ReplaceByTotals,
    ReplaceDays,
    ReplaceToday,
    ReplaceTodayByAll,
    UpsertAll,
    UpsertToday,
)

ORDERS: list[Row] = [
    {"id": 1, "day": FIRST, "amount": 10},
    {"id": 2, "day": FIRST, "amount": None},
    {"id": 3, "day": SECOND, "amount": 30},
]


class TableContract(EtlBench):
    """Write modes and the table store."""

    @pytest.fixture
    def orders(self, lab: EtlLab) -> list[Row]:
        lab.fill("raw.orders", *ORDERS)
        return ORDERS

    def test_replace_puts_rows_and_columns_in_the_place_of_all_that_were_there(
        self, lab: EtlLab, orders: list[Row]
    ) -> None:
        """A table that is replaced may have other columns than before."""
        report = lab.run(ReplaceByToday)
        assert lab.rows("out") == only(orders, day=FIRST)
        assert report.steps[0].outcome is not None
        assert report.steps[0].outcome.rows_out == 2
        lab.run(ReplaceByTotals)
        assert lab.rows("out") == [
            {"day": FIRST, "total": 10, "orders": 2},
            {"day": SECOND, "total": 30, "orders": 1},
        ]

    def test_replace_by_no_rows_leaves_an_empty_table_with_columns(self, lab: EtlLab, orders: list[Row]) -> None:
        """Nothing to write is not nothing to do."""
        lab.run(ReplaceByToday)
        lab.run(ReplaceByToday, day=THIRD)
        state = lab.engine.tables.state("out")
        assert state is not None
        assert (state.rows, state.version) == (0, 1)
        assert list(lab.engine.tables.schema("out") or ()) == ["id", "day", "amount"]

    def test_append_adds_the_rows_of_each_parameters_once(self, lab: EtlLab, orders: list[Row]) -> None:
        """A run again with equal parameters adds nothing and says so; other parameters add theirs."""
        lab.run(AppendToday)
        before = lab.digest("out")
        again = lab.run(AppendToday)
        assert lab.digest("out") == before
        assert again.steps[0].outcome is not None
        assert again.steps[0].outcome.rows_out == 0
        assert again.steps[0].outcome.note
        lab.run(AppendToday, day=SECOND)
        assert lab.rows("out") == orders

    def test_append_without_once_adds_rows_at_every_run(self, lab: EtlLab, orders: list[Row]) -> None:
        """Who asks for it gets rows twice."""
        lab.run(AppendTodayAlways)
        lab.run(AppendTodayAlways)
        assert lab.rows("out") == [row for row in only(orders, day=FIRST) for _ in range(2)]

    @pytest.mark.parametrize("first", [ReplaceByToday, ReplaceToday])
    def test_append_after_a_replacement_in_the_same_run_adds_its_rows_at_each_run(
        self, lab: EtlLab, orders: list[Row], first: type[Any]
    ) -> None:
        """What was appended before went with what was replaced, so it must come back."""
        lab.run(first, AppendToday)
        before = lab.digest("out")
        lab.run(first, AppendToday)
        assert lab.digest("out") == before
        assert len(lab.rows("out")) == 4

    def test_replace_partition_leaves_other_partitions(self, lab: EtlLab, orders: list[Row]) -> None:
        """Each day is written by its own run, in any order and as often as one likes."""
        for day in (SECOND, FIRST, SECOND):
            lab.run(ReplaceToday, day=day)
        assert lab.rows("out") == orders

    def test_replace_partition_by_no_rows_empties_it(self, lab: EtlLab, orders: list[Row]) -> None:
        """The partition is what the run says it is, also where that is nothing."""
        lab.run(ReplaceDays)
        lab.fill("out", {"id": 9, "day": THIRD, "amount": 90})
        lab.run(ReplaceToday, day=THIRD)
        assert lab.rows("out") == orders

    def test_replace_partition_refuses_rows_of_another_partition(self, lab: EtlLab, orders: list[Row]) -> None:
        """Such rows would be left behind by the next run; the table stays as it was, or is not made."""
        with pytest.raises(StepFailed, match=r"a row for table 'out' has day = .*2013.*, not .*2013"):
            lab.run(ReplaceTodayByAll)
        assert "out" not in lab.engine.tables.names()
        lab.run(ReplaceDays)
        before = lab.digest("out")
        with pytest.raises(StepFailed, match="a row for table 'out' has day"):
            lab.run(ReplaceTodayByAll)
        assert lab.digest("out") == before

    def test_replace_partitions_replaces_those_that_the_rows_belong_to(self, lab: EtlLab, orders: list[Row]) -> None:
        """Null is a partition like any other; no rows replace nothing."""
        none: Row = {"id": 4, "day": None, "amount": 40}
        lab.fill("out", {"id": 8, "day": FIRST, "amount": 80}, {"id": 9, "day": THIRD, "amount": 90}, none)
        lab.run(ReplaceDays)
        assert lab.rows("out") == in_order([*orders, {"id": 9, "day": THIRD, "amount": 90}, none])
        lab.fill("raw.orders", {"id": 5, "day": None, "amount": 50})
        lab.run(ReplaceDays)
        before = lab.digest("out")
        lab.run(ReplaceDays)
        assert lab.digest("out") == before
        assert only(lab.rows("out"), day=None) == [{"id": 5, "day": None, "amount": 50}]

    def test_upsert_updates_known_keys_and_inserts_others(self, lab: EtlLab, orders: list[Row]) -> None:
        """Rows of other keys stay, and a second run changes nothing."""
        lab.fill("out", {"id": 1, "day": THIRD, "amount": 0}, {"id": 7, "day": THIRD, "amount": 70})
        lab.run(UpsertToday)
        before = lab.digest("out")
        lab.run(UpsertToday)
        assert lab.digest("out") == before
        assert lab.rows("out") == in_order([*only(orders, day=FIRST), {"id": 7, "day": THIRD, "amount": 70}])

    def test_upsert_makes_the_table_where_there_is_none(self, lab: EtlLab, orders: list[Row]) -> None:
        """The first run needs no preparation."""
        lab.run(UpsertAll)
        assert lab.rows("out") == orders

    def test_upsert_of_no_rows_changes_nothing(self, lab: EtlLab, orders: list[Row]) -> None:
        """A day with nothing new is no failure."""
        lab.fill("out", {"id": 7, "day": THIRD, "amount": 70})
        before = lab.digest("out")
        lab.run(UpsertToday, day=THIRD.replace(year=1999))
        assert lab.digest("out") == before

    def test_upsert_names_double_and_null_keys_before_it_writes(self, lab: EtlLab, orders: list[Row]) -> None:
        """Both kinds of fault are told together, and the table is not made."""
        lab.fill("raw.orders", {"id": 3, "day": FIRST, "amount": 1}, {"id": None, "day": FIRST, "amount": 1})
        with pytest.raises(StepFailed) as caught:
            lab.run(UpsertAll)
        assert "table 'out' cannot be upserted: 1 rows have no 'id'; id = 3 stands in 2 rows" in str(caught.value)
        assert "make id unique and not null before; nothing was written" in str(caught.value)
        assert "out" not in lab.engine.tables.names()

    def test_writers_that_meet_both_write(self, lab: EtlLab, orders: list[Row]) -> None:
        """A writer that finds the table changed meanwhile reads and writes again."""
        lab.fill("out", {"id": 7, "day": THIRD, "amount": 70})
        faults: list[Exception] = []

        def work(day: Any) -> None:
            try:
                lab.run(UpsertToday, day=day)
            except Exception as error:  # noqa: BLE001 - told by the test itself
                faults.append(error)

        threads = [threading.Thread(target=work, args=(day,)) for day in (FIRST, SECOND)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert lab.rows("out") == in_order([*orders, {"id": 7, "day": THIRD, "amount": 70}])

    def test_the_store_tells_names_columns_and_states(self, lab: EtlLab, orders: list[Row]) -> None:
        """A state changes with the rows, and not with their order."""
        tables = lab.engine.tables
        assert (tables.names(), tables.schema("nowhere"), tables.state("nowhere")) == (["raw.orders"], None, None)
        lab.fill("other", *reversed(orders))
        assert lab.digest("other") == lab.digest("raw.orders")
        lab.fill("other", {"id": 4, "day": THIRD, "amount": 4})
        assert lab.digest("other") != lab.digest("raw.orders")
        assert {name: kind and kind.value for name, kind in (tables.schema("other") or {}).items()} == {
            "id": "int",
            "day": "date",
            "amount": "int",
        }

    def test_a_batch_with_an_identity_is_added_once(self, lab: EtlLab) -> None:
        """What a stream delivers twice is stored once."""
        for _ in range(2):
            lab.engine.tables.append("events", [{"id": 1}], once="batch-1")
        lab.engine.tables.append("events", [{"id": 1}], once="batch-2")
        lab.engine.tables.append("events", [])
        assert lab.rows("events") == [{"id": 1}, {"id": 1}]

    def test_rows_of_no_table_is_an_error(self, lab: EtlLab) -> None:
        """Whoever reads a table by name is told that it is not there."""
        with pytest.raises(NotFound, match="table 'nowhere' does not exist"):
            list(lab.engine.tables.rows("nowhere"))
