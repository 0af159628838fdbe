"""What the Polars adapter promises beyond the contract: laziness, pushdown, and clear ends of conflicts."""

import datetime as dt
import threading
import uuid
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loom.adapters.polars.conform import conform, storable, wanted_by
from loom.adapters.polars.engine import PolarsEngine
from loom.adapters.polars.readers import Reading, read
from loom.adapters.polars.tables import DeltaTables
from loom.application.etl.conflicts import CommitConflict, retrying
from loom.application.etl.contract import contract_of
from loom.application.etl.from_table import TableSource
from loom.application.etl.into_table import TableTarget
from loom.application.etl.locations import LocalFiles, local_folder, unpack
from loom.application.etl.plan import SourcePlan
from loom.application.etl.writes import Replace, WriteMode
from loom.domain.errors import BrokenContract, EngineFailure
from loom.domain.expr import col, params
from loom.domain.model import entity, key
from loom.etl import ETLParams, ETLRunner, ETLStep, FromTable, IntoTable
from tests.unit.etl.etl_fakes import pipeline


class Month(ETLParams):
    month: int


@entity(table="orders")
class Order:
    id: int = key(autoincrement=True)
    month: int
    amount: float | None = None


ROWS = [{"id": number, "month": 1 + number % 3, "amount": number / 2, "note": "x"} for number in range(30)]


@pytest.fixture
def tables(tmp_path: Path) -> DeltaTables:
    found = DeltaTables(tmp_path / "lake")
    found.append("orders", ROWS)
    return found


@pytest.fixture
def runner(tables: DeltaTables) -> ETLRunner:
    return ETLRunner(engine=PolarsEngine(tables=tables, files=LocalFiles()))


def test_predicate_and_columns_are_pushed_into_the_scan(tables: DeltaTables, tmp_path: Path) -> None:
    """Nothing but the selected columns of the matching rows is read."""
    source = TableSource(
        argument="orders", table="orders", selected=("id", "amount"), predicate=col("month") == params.month
    )
    frame = read(source, Reading(tables=tables, folder=tmp_path, step="s"), Month(month=2))
    plan = frame.explain()
    assert "SELECTION: " in plan
    assert "FILTER " not in plan
    assert "3/4 COLUMNS" in plan
    assert sorted(frame.collect().rows()) == [(number, number / 2) for number in range(30) if 1 + number % 3 == 2]


def test_a_frame_that_fits_is_not_projected_again(tables: DeltaTables) -> None:
    """So that whatever the step filters is pushed down as in a hand-written query."""
    frame = tables.scan("orders").select("id", "month", "amount")
    assert conform(frame, wanted_by(contract_of(Order)), "table 'orders'") is frame


def test_an_autoincrement_key_may_be_absent_and_then_stays_so() -> None:
    """The number is the database's affair, and a lake table need not have it."""
    frame = pl.LazyFrame({"amount": [1], "month": pl.Series([2], dtype=pl.UInt8)})
    found = conform(frame, wanted_by(contract_of(Order)), "table 'orders'").collect()
    assert found.schema == {"month": pl.Int64(), "amount": pl.Float64()}


def test_what_a_lake_does_not_hold_is_named_with_what_to_do() -> None:
    frame = pl.LazyFrame({"at": [dt.datetime(2013, 1, 1)], "none": [None], "n": pl.Series([1], dtype=pl.UInt32)})  # noqa: DTZ001
    with pytest.raises(BrokenContract) as caught:
        storable(frame, "table 't'")
    assert str(caught.value) == (
        "the rows cannot be stored in table 't': column 'at' is a datetime without a time zone; "
        "say which with dt.replace_time_zone(...); column 'none' holds nulls alone and no type; cast it"
    )
    kept = storable(frame.select("n"), "table 't'").collect_schema()
    assert kept == {"n": pl.Int64()}


def test_a_writer_that_always_comes_too_late_says_so() -> None:
    """After as many attempts as were allowed, the conflict is an error that says what to do."""
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise CommitConflict("writing table 't' failed: another writer changed the table meanwhile")

    with pytest.raises(EngineFailure, match=r"changed the table meanwhile, at each of 3 attempts\. keep other writers"):
        retrying(attempt, 2)
    assert len(attempts) == 3


def test_a_step_reads_again_what_another_writer_changed_meanwhile(runner: ETLRunner, tables: DeltaTables) -> None:
    """The first attempt meets a commit that was made while it computed; the second sees that commit's rows."""
    met = threading.Event()

    class Grow(ETLStep[Month]):
        orders = FromTable("orders").columns("id", "month")
        target = IntoTable("counts").upsert(keys="id")

        def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
            if not met.is_set():
                met.set()
                tables.append("counts", [{"id": -1, "month": 0}])
                tables.append("orders", [{"id": 99, "month": 9, "amount": 0.0, "note": "late"}])
            return orders

    tables.append("counts", [{"id": 0, "month": 7}])
    runner.run(pipeline(Grow, params=Month), Month(month=1))
    assert {row["id"] for row in tables.rows("counts")} == {-1, *range(30)}


def test_a_new_table_is_laid_out_by_the_partition_it_is_replaced_by(runner: ETLRunner, tables: DeltaTables) -> None:
    class ByMonth(ETLStep[Month]):
        orders = FromTable("orders")
        target = IntoTable("by_month").replace_partitions("month")

        def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
            return orders

    runner.run(pipeline(ByMonth, params=Month), Month(month=1))
    assert tables.require("by_month").metadata().partition_columns == ["month"]

    class Again(ByMonth):
        target = IntoTable("by_month").replace()

    runner.run(pipeline(Again, params=Month), Month(month=1))
    assert tables.require("by_month").metadata().partition_columns == ["month"]


@pytest.mark.parametrize("value", ["it's", "", 'a "b"', "2013-01-01"])
def test_any_text_is_the_value_of_a_partition(runner: ETLRunner, tables: DeltaTables, value: str) -> None:
    """Quotes end no SQL here."""

    class Named(ETLParams):
        name: str

    class ByName(ETLStep[Named]):
        orders = FromTable("orders").columns("id")
        target = IntoTable("by_name").replace_partition(name=params.name)

        def execute(self, params: Named, *, orders: pl.LazyFrame) -> pl.LazyFrame:
            return orders.with_columns(name=pl.lit(params.name))

    for name in ("other", value, value):
        runner.run(pipeline(ByName, params=Named), Named(name=name))
    names = [row["name"] for row in tables.rows("by_name")]
    assert (names.count(value), names.count("other")) == (30, 30)


def test_an_eager_result_is_refused(runner: ETLRunner) -> None:
    class Eager(ETLStep[Month]):
        orders = FromTable("orders")
        target = IntoTable("eager").replace()

        def execute(self, *, orders: pl.LazyFrame) -> pl.LazyFrame:
            return orders.collect()  # type: ignore[return-value]

    with pytest.raises(Exception, match=r"execute\(\) returned DataFrame, not the lazy frame that its annotation says"):
        runner.run(pipeline(Eager, params=Month), Month(month=1))


def test_rows_that_do_not_fit_the_stored_table_are_refused(tables: DeltaTables) -> None:
    """A table that exists says what fits it."""
    with pytest.raises(BrokenContract, match="column 'amuont' is not one of its columns, did you mean 'amount'"):
        tables.append("orders", [{"id": 1, "month": 1, "amuont": 1.0, "note": "x"}])
    with pytest.raises(BrokenContract, match="the rows do not fit table 'orders'"):
        tables.append("orders", [{"id": "one", "month": 1, "amount": 1.0, "note": "x"}])
    state = tables.state("orders")
    assert state is not None
    assert (state.version, state.rows) == (0, 30)


def test_values_without_a_lake_type_are_kept_in_their_form(tables: DeltaTables) -> None:
    tables.append("odd", [{"id": uuid.UUID(int=7), "at": dt.time(1, 2), "long": dt.timedelta(seconds=2)}])
    assert list(tables.rows("odd")) == [{"id": str(uuid.UUID(int=7)), "at": "01:02:00", "long": 2_000_000}]


def test_a_lake_elsewhere_is_refused_and_a_file_uri_is_a_folder(tmp_path: Path) -> None:
    assert local_folder(tmp_path.as_uri()) == str(tmp_path)
    with pytest.raises(EngineFailure, match="a lake at 's3://bucket/lake' is not supported"):
        local_folder("s3://bucket/lake")


@pytest.mark.parametrize("content", [b"no archive", None])
def test_an_archive_that_cannot_be_read_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineFailure, match=r"archive '.*a\.zip' cannot be read"):
        unpack(str(path), "", tmp_path)


def test_a_member_of_an_archive_stays_inside_the_folder(tmp_path: Path) -> None:
    """Whatever path the archive says."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../evil.csv", "a\n1\n")
    assert unpack(str(tmp_path / "a.zip"), "", tmp_path / "in") == tmp_path / "in" / "evil.csv"


def test_the_state_does_not_depend_on_files_or_order(tables: DeltaTables) -> None:
    for row in reversed(ROWS):
        tables.append("single", [row])
    one, many = tables.state("orders"), tables.state("single")
    assert one is not None
    assert many is not None
    assert (one.digest, many.version) == (many.digest, len(ROWS) - 1)
    columns: Any = tables.schema("orders")
    assert list(columns) == ["id", "month", "amount", "note"]


def test_a_kind_that_nobody_registered_is_not_supported(runner: ETLRunner) -> None:
    """Sources, targets and write modes alike, so that the compiler can refuse them."""

    class Strange(WriteMode):
        pass

    known = TableSource(argument="orders", table="orders")
    assert runner.engine.supports(known)
    assert runner.engine.supports(TableTarget(table="t", mode=Replace()))
    assert not runner.engine.supports(TableTarget(table="t", mode=Strange()))
    assert not runner.engine.supports(SourcePlan(argument="x"))
