"""What every repository must do with many rows: predicates, order, pages, streams."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from loom.domain.errors import InvalidInput
from loom.domain.expr import Expr, Literal, col
from loom.domain.query import Query, Sort
from loom.ports.persistence import Persistence
from loom.testing.contracts.persistence_models import (
    Airline,
    Document,
    Flight,
    PersistenceSuite,
    Priority,
    Product,
    Status,
)

DAY = dt.date(2013, 1, 1)
EAST = dt.timezone(dt.timedelta(hours=14))

FLIGHTS = [
    {"day": DAY, "number": 1, "origin": "JFK", "delay": None, "distance": 10.0},
    {"day": DAY, "number": 2, "origin": "EWR", "delay": 5, "distance": 10.0},
    {"day": DAY, "number": 3, "origin": None, "delay": -2, "distance": 20.0},
    {"day": DAY + dt.timedelta(1), "number": 1, "origin": "JFK", "delay": 5, "distance": 5.0},
    {"day": DAY + dt.timedelta(1), "number": 2, "origin": "jfk", "delay": None, "distance": 20.0},
    {"day": DAY + dt.timedelta(1), "number": 3, "origin": None, "delay": 30, "distance": 0.5},
]

ORDERS: dict[str, tuple[Sort, ...]] = {
    "by key": (),
    "ascending, nulls first": (Sort("delay"),),
    "descending, nulls last": (Sort("delay", descending=True),),
    "two columns with nulls": (Sort("origin", descending=True), Sort("delay")),
    "a key column descending": (Sort("number", descending=True),),
    "a number with duplicates": (Sort("distance"), Sort("delay", descending=True)),
    "a column named twice": (Sort("origin"), Sort("origin", descending=True)),
}

PREDICATES: dict[str, tuple[Expr, list[int]]] = {
    "a comparison drops nulls": (col("delay") > 0, [1, 3, 5]),
    "and so does its negation": (~(col("delay") > 0), [2]),
    "is_null": (col("delay").is_null(), [0, 4]),
    "is_not_null": (col("origin").is_not_null() & col("delay").is_not_null(), [1, 3]),
    "or is true beside null": ((col("delay") > 0) | (col("distance") == 10.0), [0, 1, 3, 5]),
    "a comparison with null is null": (col("origin") == Literal(None), []),
    "and stays null when negated": (~(col("origin") == Literal(None)), []),
    "is_in": (col("origin").is_in(["JFK", "LGA"]), [0, 3]),
    "not is_in drops nulls": (~col("origin").is_in(["JFK"]), [1, 4]),
    "is_in of nothing": (col("origin").is_in([]), []),
    "not is_in of nothing drops nulls": (~col("origin").is_in([]), [0, 1, 3, 4]),
    "text is told apart by case": (col("origin") == "jfk", [4]),
    "text is ordered by code point": (col("origin") > "Z", [4]),
    "like tells case apart": (col("origin").like("J%"), [0, 3]),
    "like without case": (col("origin").like("_f%", ignore_case=True), [0, 3, 4]),
    "a negation is null where what it negates is": ((~col("origin").like("J%")).is_null(), [2, 5]),
    "dates": (col("day") >= DAY + dt.timedelta(1), [3, 4, 5]),
    "columns with each other": (col("delay") > col("number"), [1, 3, 5]),
    "arithmetic": (col("delay") * 2 - col("number") == 8, [1]),
    "whole numbers and fractions": (col("distance") > col("number"), [0, 1, 2, 3, 4]),
    "a constant": (Literal(True), [0, 1, 2, 3, 4, 5]),
    "the comparison of a condition": ((col("delay") > 0) == Literal(False), [2]),
}

REFUSED: dict[str, tuple[Query, str]] = {
    "a column that does not exist": (Query(where=col("orgin") == "JFK"), "did you mean 'origin'"),
    "operands of two types": (Query(where=col("origin") == 1), "joins string with int"),
    "something else than a condition": (Query(where=col("delay") + 1), "a condition is needed"),
    "an order by a column that does not exist": (Query(sort=(Sort("delai"),)), "did you mean 'delay'"),
    "a position of another order": (Query(after=(1,)), "has 1 values, but the order has 2"),
    "a position of the wrong type": (Query(after=("2013-01-01", 1)), "must be a date, not str"),
    "an offset behind a position": (Query(after=(DAY, 1), offset=1), "not both"),
    "an offset before the first row": (Query(offset=-1), "must be a number of rows, not -1"),
    "an offset that no number holds": (Query(offset=2**63), "must be a number of rows"),
    "a limit below zero": (Query(limit=-1), "must be a number of rows, not -1"),
    "an instant before the year 1": (
        Query(where=col("day").is_null() | (Literal(dt.datetime(1, 1, 1, tzinfo=EAST)) == Literal(None))),
        "outside the years 1 to 9999",
    ),
    "a duration that no column holds": (Query(where=Literal(dt.timedelta.max) == col("delay")), "is longer than"),
    "a number that no column holds": (Query(where=col("delay") == 2**63), "is outside"),
    "text that no column holds": (Query(where=col("origin") == "\x00"), "NUL"),
    "half a character": (Query(where=col("origin").is_in(["\ud800"])), "surrogate"),
    "a float that is no number": (Query(where=col("distance").is_in([float("nan")])), "not a finite number"),
}


@pytest.mark.asyncio
class QueryContract(PersistenceSuite):
    """The contract of ``Reader``."""

    @pytest.mark.parametrize("case", PREDICATES)
    async def test_a_predicate_keeps_the_rows_for_which_it_is_true(self, persistence: Persistence, case: str) -> None:
        await load(persistence, Flight, FLIGHTS)
        predicate, kept = PREDICATES[case]
        expected = [Flight(**FLIGHTS[position]) for position in kept]  # type: ignore[arg-type]
        async with persistence.begin(read_only=True) as unit:
            flights = unit.repository(Flight)
            assert list((await flights.list(Query(where=predicate))).items) == expected
            assert await flights.count(predicate) == len(kept)
            assert await flights.exists(predicate) == bool(kept)
            assert await flights.find(predicate) == (expected[0] if expected else None)
            assert [each async for each in flights.stream(Query(where=predicate, limit=None))] == expected

    @pytest.mark.parametrize("limit", [1, 2, 5, 6])
    @pytest.mark.parametrize("case", ORDERS)
    async def test_pages_follow_each_other_without_gap_or_overlap(
        self, persistence: Persistence, case: str, limit: int
    ) -> None:
        """Also across nulls and duplicates, in every direction; the pages are the rows of one total order."""
        await load(persistence, Flight, FLIGHTS)
        seen: list[Any] = []
        after = None
        async with persistence.begin(read_only=True) as unit:
            flights = unit.repository(Flight)
            while True:
                page = await flights.list(Query(sort=ORDERS[case], limit=limit, after=after, total=True))
                assert page.total == 6
                seen += page.items
                if page.after is None:
                    break
                after = page.after
        assert seen == in_order(ORDERS[case])

    @pytest.mark.parametrize("case", ORDERS)
    async def test_offsets_and_streams_keep_the_order(self, persistence: Persistence, case: str) -> None:
        await load(persistence, Flight, FLIGHTS)
        expected = in_order(ORDERS[case])
        async with persistence.begin(read_only=True) as unit:
            flights = unit.repository(Flight)
            page = await flights.list(Query(sort=ORDERS[case], offset=2, limit=3, total=True))
            assert (list(page.items), page.total) == (expected[2:5], 6)
            beyond = await flights.list(Query(offset=6, limit=3))
            assert (beyond.items, beyond.after, beyond.total) == ((), None, None)
            everything = await flights.list(Query(sort=ORDERS[case], limit=None))
            assert (list(everything.items), everything.after) == (expected, None)
            assert [each async for each in flights.stream(Query(sort=ORDERS[case], limit=4))] == expected[:4]

    async def test_decimals_are_compared_and_added_as_numbers(self, persistence: Persistence) -> None:
        """Not as text, and not as floats."""
        prices = ["9.00", "10.00", "0.10", "0.20", "1000000000.01"]
        rows = [{"sku": price, "name": "x", "price": Decimal(price), "stock": 3} for price in prices]
        await load(persistence, Product, rows)
        async with persistence.begin(read_only=True) as unit:
            products = unit.repository(Product)

            async def skus(where: Expr | None, *sort: Sort) -> list[str]:
                return [each.sku for each in (await products.list(Query(where=where, sort=sort))).items]

            assert await skus(None, Sort("price")) == ["0.10", "0.20", "9.00", "10.00", "1000000000.01"]
            assert await skus(col("price") > Decimal(9)) == ["10.00", "1000000000.01"]
            assert await skus(col("price") + Decimal("0.2") == Decimal("0.3")) == ["0.10"]
            assert await skus(col("price") * 3 == Decimal("0.6")) == ["0.20"]
            assert await skus(col("price") * col("price") == Decimal("0.01")) == ["0.10"]
            assert await skus(col("price") == 9) == ["9.00"]
            assert await skus(col("price") < col("stock")) == ["0.10", "0.20"]
            assert await skus(col("price") > Decimal("9.0005")) == ["10.00", "1000000000.01"]
            assert await skus(col("price") < Decimal("0.1005")) == ["0.10"]
            assert await skus(col("price").is_in([Decimal("0.1"), Decimal("0.1001"), 10])) == ["10.00", "0.10"]

    async def test_values_of_every_kind_are_found_by_themselves(self, persistence: Persistence) -> None:
        there = dt.datetime(2013, 1, 1, 7, tzinfo=dt.timezone(dt.timedelta(hours=2)))
        values: dict[str, Any] = {
            "id": uuid.UUID(int=2**127),
            "status": Status.FINAL,
            "priority": Priority.HIGH,
            "grade": "a",
            "active": True,
            "ratio": 0.1,
            "amount": Decimal("12.5"),
            "day": DAY,
            "opens": dt.time(8, 30),
            "at": there,
            "took": dt.timedelta(hours=-30, microseconds=7),
            "body": b"\x00\xff",
        }
        await load(persistence, Document, [values, {"id": uuid.UUID(int=1)}])
        async with persistence.begin(read_only=True) as unit:
            documents = unit.repository(Document)
            for name, value in values.items():
                found = await documents.list(Query(where=col(name) == value))
                assert [each.id for each in found.items] == [values["id"]], name
                assert await documents.count(col(name).is_in([value])) == 1, name
                assert await documents.count(col(name) <= value) == (2 if name in ("id", "priority", "status") else 1)

    async def test_order_is_that_of_python(self, persistence: Persistence) -> None:
        """Text by code point, integer enums by number, UUIDs by value, instants by time, durations by length."""
        names = ["b", "B", "a", "Z", "é", "_", "a b", "ab", "", "~", "ß", "\U0001f6eb", "\uffff"]
        await load(persistence, Airline, [{"code": str(number), "name": name} for number, name in enumerate(names)])
        documents = [
            {
                "id": uuid.UUID(int=number << 120),
                "priority": Priority.LOW if number % 2 else Priority.HIGH,
                "at": dt.datetime(2013, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=-(10**number)),
                "took": dt.timedelta(seconds=(-9) ** number),
                "amount": Decimal((-9) ** number),
            }
            for number in range(5)
        ]
        await load(persistence, Document, documents)
        async with persistence.begin(read_only=True) as unit:
            airlines = await unit.repository(Airline).list(Query(sort=(Sort("name"),)))
            assert [each.name for each in airlines.items] == sorted(names)
            for column in ("id", "priority", "at", "took", "amount"):
                page = await unit.repository(Document).list(Query(sort=(Sort(column),)))
                found = [getattr(each, column) for each in page.items]
                assert found == sorted(document[column] for document in documents), column

    async def test_wildcards_can_be_meant_literally(self, persistence: Persistence) -> None:
        names = ["100%", "100 percent", "a_b", "aXb", "back\\slash", "star*", "q?", "[x]", "é", "É", "K"]
        await load(persistence, Airline, [{"code": str(number), "name": name} for number, name in enumerate(names)])
        cases = {
            "100\\%": ["100%"],
            "100%": ["100%", "100 percent"],
            "a\\_b": ["a_b"],
            "a_b": ["a_b", "aXb"],
            "back\\\\slash": ["back\\slash"],
            "%*": ["star*"],
            "q?": ["q?"],
            "[x]": ["[x]"],
            "%\\": [],
        }
        async with persistence.begin(read_only=True) as unit:
            airlines = unit.repository(Airline)
            for fold in (False, True):
                for pattern, expected in cases.items():
                    page = await airlines.list(Query(where=col("name").like(pattern, ignore_case=fold)))
                    assert sorted(each.name for each in page.items) == sorted(expected), pattern
            # Beyond A to Z no case is folded, because databases differ there.
            assert await airlines.count(col("name").like("é", ignore_case=True)) == 1
            assert await airlines.count(col("name").like("k", ignore_case=True)) == 1

    @pytest.mark.parametrize("case", REFUSED)
    async def test_a_query_that_means_nothing_is_refused(self, persistence: Persistence, case: str) -> None:
        """With a text for whoever wrote it; the unit of work goes on."""
        query, text = REFUSED[case]
        async with persistence.begin(read_only=True) as unit:
            with pytest.raises(InvalidInput, match=text):
                await unit.repository(Flight).list(query)
            assert await unit.repository(Flight).count() == 0

    @pytest.mark.parametrize("where", [col("meta") == {"a": 1}, col("scores").is_in([1]), col("address") == "x"])
    async def test_columns_without_an_order_are_not_compared(self, persistence: Persistence, where: Expr) -> None:
        async with persistence.begin(read_only=True) as unit:
            with pytest.raises(InvalidInput):
                await unit.repository(Document).count(where)
            with pytest.raises(InvalidInput, match="no order"):
                await unit.repository(Document).list(Query(sort=(Sort("meta"),)))
            assert await unit.repository(Document).count(col("meta").is_null()) == 0

    async def test_a_stream_may_be_left_early(self, persistence: Persistence) -> None:
        await load(persistence, Flight, FLIGHTS)
        for read_only in (True, False):
            async with persistence.begin(read_only=read_only) as unit:
                flights = unit.repository(Flight)
                async for each in flights.stream(Query(limit=None)):
                    assert each.number == 1
                    assert await flights.get((each.day, 2)) is not None
                    break
                assert await flights.count() == 6


async def load(persistence: Persistence, model: type, rows: Sequence[object]) -> None:
    """Create rows in a unit of work of their own."""
    async with persistence.begin() as unit:
        await unit.repository(model).create_many(rows)
        await unit.commit()


def in_order(sort: Sequence[Sort]) -> list[Flight]:
    """The flights in the order that is asked for, by Python: nulls first ascending, last descending."""
    flights = [Flight(**row) for row in FLIGHTS]  # type: ignore[arg-type]
    flights.sort(key=lambda each: (each.day, each.number))
    for each in reversed(sort):
        flights.sort(key=lambda row: _nulls_first(getattr(row, each.column)), reverse=each.descending)
    return flights


def _nulls_first(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)
