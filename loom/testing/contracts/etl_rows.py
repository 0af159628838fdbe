"""The contract of rows: predicates and nulls, types that survive, models as contracts, files."""

from __future__ import annotations

import datetime as dt
import uuid
import zipfile
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw
import pytest

from loom.application.etl.declare import ETLStep
from loom.application.etl.files import FromFile, IntoFile
from loom.application.etl.from_table import FromTable
from loom.application.etl.into_table import IntoTable
from loom.domain.errors import BrokenContract, StepFailed
from loom.domain.expr import col, params
from loom.domain.frozen import frozen
from loom.domain.model import entity, field, key
from loom.testing.contracts.etl_lab import FIRST, Day, EtlBench, EtlLab, Row


@entity(table="sales")
class Sale:
    """A model with every type that a table often holds."""

    id: int = key()
    day: dt.date
    at: dt.datetime
    price: Decimal = field(precision=12, scale=2)
    weight: float
    note: str | None = None
    paid: bool = False


@frozen(kw_only=True)
class Person:
    """A plain class, as the columns of a file."""

    name: str
    born: dt.date | None
    height: float | None
    seen: dt.datetime | None


NOON = dt.datetime(2013, 1, 1, 12, 0, 0, 5, tzinfo=dt.UTC)
SALE: Row = {
    "id": 1,
    "day": FIRST,
    "at": NOON,
    "price": Decimal("1.50"),
    "weight": 2.0,
    "note": None,
    "paid": True,
}


class CopySales(ETLStep[Day]):
    """Reads and writes by the model."""

    sales = FromTable(Sale).where((col("price") > Decimal(1)) & (col("at") >= NOON))
    target = IntoTable("copies").replace()

    def execute(self, *, sales: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return sales


class IntoSales(ETLStep[Day]):
    """Gives narrower numbers than the model's, other columns' order, and leaves out what has a default."""

    orders = FromTable("raw")
    target = IntoTable(Sale).upsert()

    def execute(self, *, orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return orders


class Unequal(ETLStep[Day]):
    """A predicate that is null where ``n`` is null."""

    numbers = FromTable("numbers").columns("id").where(~(col("n") == 1))
    target = IntoTable("unequal").replace()

    def execute(self, *, numbers: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return numbers


class Named(ETLStep[Day]):
    """Predicates on text, nulls and parameters together."""

    numbers = FromTable("numbers").where(
        col("n").is_null() | (col("t").like("a\\_%") & (col("day") == params.day)) | col("n").is_in([2])
    )
    target = IntoTable("named").replace()

    def execute(self, *, numbers: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return numbers.select("id")


class ReadPeople(ETLStep[Day]):
    """Infers the types of a CSV file that an alias names."""

    people = FromFile("people", null_values=("NA", "-"))
    target = IntoTable("people").replace()

    def execute(self, *, people: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return people


class ReadPersons(ETLStep[Day]):
    """Reads the same file in a model's types; its other columns are left out."""

    people = FromFile("people", null_values=("NA", "-"), model=Person).where(col("born") < dt.date(1950, 1, 1))
    target = IntoTable("persons").replace()

    def execute(self, *, people: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return people


PEOPLE = """name,born,height,code,children,seen
Ada,1915-12-10,1.6,007,3,2013-01-01T12:00:00Z
"Grace, H.",1906-12-09,NA,042,0,2013-01-01T14:30:00.5+02:00
Linus,,2,100,-,-
"""


class RowContract(EtlBench):
    """Predicates, types, models and files."""

    def test_a_null_comparison_keeps_no_row_even_when_negated(self, lab: EtlLab) -> None:
        """SQL's logic: not (null = 1) is null, and null keeps nothing."""
        lab.fill("numbers", {"id": 1, "n": 1}, {"id": 2, "n": 2}, {"id": 3, "n": None})
        lab.run(Unequal)
        assert lab.rows("unequal") == [{"id": 2}]

    def test_predicates_on_text_nulls_and_parameters(self, lab: EtlLab) -> None:
        """A backslash takes the underscore as it is; case counts."""
        texts = ["a_b", "axb", "A_b", None, "a_b"]
        days = [FIRST, FIRST, FIRST, FIRST, dt.date(2014, 1, 1)]
        numbers = [1, 1, 1, None, 2]
        rows = zip(range(5), texts, days, numbers, strict=True)
        lab.fill("numbers", *({"id": i, "t": t, "day": d, "n": n} for i, t, d, n in rows))
        lab.run(Named)
        assert lab.rows("named") == [{"id": 0}, {"id": 3}, {"id": 4}]

    def test_types_of_a_model_survive(self, lab: EtlLab) -> None:
        """Decimals keep their scale, datetimes are UTC to the microsecond, columns keep the model's order."""
        lab.fill("sales", SALE, SALE | {"id": 2, "price": Decimal("0.50")}, model=Sale)
        lab.run(CopySales)
        assert lab.rows("copies") == [SALE]
        assert list(lab.engine.tables.schema("copies") or ()) == list(SALE)

    def test_rows_take_the_types_and_defaults_of_the_model(self, lab: EtlLab) -> None:
        """Whole numbers become floats and decimals, and columns that have defaults may be absent."""
        lab.fill("raw", {"weight": 2, "price": 3, "id": 1, "day": FIRST, "at": NOON})
        lab.run(IntoSales)
        assert lab.rows("sales") == [SALE | {"price": Decimal("3.00"), "paid": False}]

    def test_rows_that_do_not_fit_the_model_are_refused_with_every_fault(self, lab: EtlLab) -> None:
        """A float is not cut to an int; missing and unknown columns are named."""
        lab.fill("raw", {"id": 1.5, "day": FIRST, "at": NOON, "prize": 3, "weight": 2.0})
        with pytest.raises(StepFailed) as caught:
            lab.run(IntoSales)
        text = str(caught.value)
        assert "the rows do not fit table 'sales'" in text
        assert "column 'prize' is not one of its columns, did you mean 'price'?" in text
        assert "column 'id' is " in text
        assert "column 'price' is missing" in text
        assert isinstance(caught.value.__cause__, BrokenContract)

    def test_a_null_where_the_model_has_none_is_refused(self, lab: EtlLab) -> None:
        """Found on the way to the table, which is not made."""
        lab.fill("raw", SALE | {"note": "first"}, SALE | {"id": 2, "weight": None})
        with pytest.raises(
            StepFailed, match="column 'weight' of table 'sales' allows no nulls, but the rows hold some"
        ):
            lab.run(IntoSales)
        assert "sales" not in lab.engine.tables.names()

    def test_a_csv_file_gets_the_types_that_all_its_values_have(self, lab: EtlLab) -> None:
        """Leading zeros make a code, an offset makes a moment, and each null value is null."""
        lab.write("people.csv", PEOPLE)
        report = lab.run(ReadPeople)
        assert report.steps[0].outcome is not None
        assert report.steps[0].outcome.rows_out == 3
        ada, grace, linus = sorted(lab.rows("people"), key=lambda row: str(row["name"]))
        assert ada == {
            "name": "Ada",
            "born": dt.date(1915, 12, 10),
            "height": 1.6,
            "code": "007",
            "children": 3,
            "seen": dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC),
        }
        assert (grace["name"], grace["height"]) == ("Grace, H.", None)
        assert grace["seen"] == dt.datetime(2013, 1, 1, 12, 30, 0, 500000, tzinfo=dt.UTC)
        assert (linus["born"], linus["height"], linus["children"], linus["seen"]) == (None, 2.0, None, None)

    def test_a_csv_file_is_read_in_the_types_of_a_model(self, lab: EtlLab) -> None:
        """Only the model's columns, and predicates over them."""
        lab.write("people.csv", PEOPLE)
        lab.run(ReadPersons)
        assert [list(row) for row in lab.rows("persons")] == [["name", "born", "height", "seen"]] * 2
        assert [row["height"] for row in lab.rows("persons")] == [1.6, None]

    def test_a_file_inside_an_archive_is_read(self, lab: EtlLab) -> None:
        """The member is found by itself where there is one, and must be named where there are several."""
        archive = lab.folder / "people.csv.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("people.csv", PEOPLE)
        lab.run(_reading(FromFile(str(archive), null_values=("NA", "-"))))
        assert len(lab.rows("read")) == 3
        with zipfile.ZipFile(archive, "a") as opened:
            opened.writestr("more.csv", "name\nBarbara\n")
        lab.run(_reading(FromFile(str(archive), member="more.csv")))
        assert lab.rows("read") == [{"name": "Barbara"}]
        with pytest.raises(StepFailed, match=r"holds 2 files. set member to one of: people.csv, more.csv"):
            lab.run(_reading(FromFile(str(archive))))

    @pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson"])
    def test_a_file_that_is_written_can_be_read_again(self, lab: EtlLab, suffix: str) -> None:
        """Each format, by a model's types."""
        path, sold = lab.folder / "out" / f"sales.{suffix}", SALE | {"id": 2, "note": 'a, "b"'}
        lab.fill("raw", SALE, sold, model=Sale)
        lab.run(_writing(IntoFile(str(path))))
        lab.run(_writing(IntoFile(str(path))))
        lab.run(_reading(FromFile(str(path), model=Sale)))
        assert lab.rows("read") == [SALE, sold]
        assert [found.name for found in path.parent.iterdir()] == [path.name]

    def test_a_file_without_a_column_of_its_model_is_refused(self, lab: EtlLab) -> None:
        """The column and the file are named."""
        lab.write("people.csv", "name,height\nAda,1.6\n")
        with pytest.raises(StepFailed, match=r"the rows do not fit file '.*people.csv': column 'born' is missing"):
            lab.run(ReadPersons)

    def test_identities_are_stored_as_text(self, lab: EtlLab) -> None:
        """What a lake has no type for has one form in it, on every engine."""
        lab.engine.tables.append("ids", [{"id": uuid.UUID(int=1), "long": dt.timedelta(seconds=1)}])
        assert lab.rows("ids") == [{"id": str(uuid.UUID(int=1)), "long": 1_000_000}]


def _reading(source: FromFile) -> type[ETLStep[Day]]:
    class Read(ETLStep[Day]):
        rows = source
        target = IntoTable("read").replace()

        def execute(self, *, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
            return rows

    return Read


def _writing(into: IntoFile) -> type[ETLStep[Day]]:
    class Write(ETLStep[Day]):
        rows = FromTable("raw")
        target = into

        def execute(self, *, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
            return rows

    return Write
