"""Random predicates keep the same rows in Python, in the memory store, in SQLite and in PostgreSQL."""

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import reduce
from operator import or_
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.expr import Binary, Expr, IsIn, IsNull, Like, Literal, Not
from loom.domain.expr_check import literal_kind
from loom.domain.model import entity, field, key
from loom.domain.query import Query, Sort
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from loom.testing.expressions import COLUMNS, VALUES, Row, expressions, kept_by_python, rows
from tests.servers.postgres import new_database


@entity(table="property_rows")
class PropertyRow:
    """A column for each of ``COLUMNS``; the decimals differ in scale, so that they must be aligned to be compared."""

    position: int = key()
    i: int | None = None
    j: int | None = None
    x: float | None = None
    d: Decimal | None = field(default=None, precision=12, scale=2)
    e: Decimal | None = field(default=None, precision=16, scale=5)
    s: str | None = None
    t: str | None = None
    b: bool | None = None
    day: dt.date | None = None
    at: dt.datetime | None = None


@attrs.define
class Store:
    """A started store, driven from a test that is not itself asynchronous, as Hypothesis wants it."""

    persistence: Persistence
    runner: asyncio.Runner

    def kept(self, table: Sequence[Row], predicates: Sequence[Expr]) -> list[list[int]]:
        """For each predicate the positions of the rows that the store keeps. Nothing is stored in the end."""
        return self.runner.run(self._kept(table, predicates))

    def walked(self, table: Sequence[Row], sort: tuple[Sort, ...], limit: int) -> list[int]:
        """The positions of all rows, read page by page."""
        return self.runner.run(self._walked(table, sort, limit))

    async def _kept(self, table: Sequence[Row], predicates: Sequence[Expr]) -> list[list[int]]:
        async with self.persistence.begin() as unit:
            repository = unit.repository(PropertyRow)
            await repository.create_many([row | {"position": number} for number, row in enumerate(table)])
            pages = [await repository.list(Query(where=predicate, limit=None)) for predicate in predicates]
            assert [await repository.count(each) for each in predicates] == [len(page.items) for page in pages]
        return [[row.position for row in page.items] for page in pages]

    async def _walked(self, table: Sequence[Row], sort: tuple[Sort, ...], limit: int) -> list[int]:
        found: list[int] = []
        after = None
        async with self.persistence.begin() as unit:
            repository = unit.repository(PropertyRow)
            await repository.create_many([row | {"position": number} for number, row in enumerate(table)])
            while True:
                page = await repository.list(Query(sort=sort, limit=limit, after=after))
                found += [row.position for row in page.items]
                after = page.after
                if after is None:
                    return found


@pytest.fixture(scope="module", params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "memory":
        yield from started(MemoryPersistence(codec=JsonCodec(), clock=FakeClock()))
    elif request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("expressions")
        yield from started(database(f"sqlite+aiosqlite:///{folder / 'store.db'}"))
    else:
        with new_database(request.getfixturevalue("postgres_url")) as url:
            yield from started(database(url))


def database(url: str) -> Persistence:
    return provide(SqlalchemySettings(url=url), codec=JsonCodec(), clock=FakeClock())


def started(persistence: Persistence) -> Iterator[Store]:
    with asyncio.Runner() as runner:
        runner.run(persistence.start([PropertyRow]))
        yield Store(persistence, runner)
        runner.run(persistence.stop())


def with_other_values(predicate: Expr, data: st.DataObject) -> Expr:
    """A predicate of the same form with other constants, of the same kinds."""
    match predicate:
        case Literal(value=value):
            return Literal(other_value(value, data))
        case IsIn(operand=operand, options=options):
            return IsIn(with_other_values(operand, data), tuple(other_value(each, data) for each in options))
        case Like(operand=operand, pattern=pattern, ignore_case=ignore_case):
            return Like(operand, pattern[::-1].replace("\\", "_"), ignore_case)
        case Binary(op=op, left=left, right=right):
            return Binary(op, with_other_values(left, data), with_other_values(right, data))
        case Not(operand=operand) | IsNull(operand=operand):
            return type(predicate)(with_other_values(operand, data))
        case _:
            return predicate


def other_value(value: object, data: st.DataObject) -> object:
    kind = literal_kind(value)
    return value if kind is None else data.draw(VALUES[kind])


SEVERAL = st.lists(expressions(COLUMNS, max_leaves=2), min_size=3, max_size=5).map(lambda parts: reduce(or_, parts))
"""Predicates of many constants: a single one is soon in its place by chance."""

# The store is shared by all examples of a test, which is right here: every example rolls back.
SHARED = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@SHARED
@given(table=rows(COLUMNS), predicates=st.lists(expressions(COLUMNS), min_size=4, max_size=4))
def test_a_predicate_keeps_the_same_rows_everywhere(store: Store, table: list[Row], predicates: list[Expr]) -> None:
    for predicate, kept in zip(predicates, store.kept(table, predicates), strict=True):
        assert kept == kept_by_python(table, predicate), f"{predicate!r} over {table!r}"


@SHARED
@given(
    table=rows(COLUMNS),
    sort=st.lists(st.builds(Sort, st.sampled_from(sorted(COLUMNS)), st.booleans()), max_size=3).map(tuple),
    limit=st.integers(1, 4),
)
def test_pages_are_the_same_everywhere(store: Store, table: list[Row], sort: tuple[Sort, ...], limit: int) -> None:
    """Every row once, nulls first ascending and last descending, however the order is made up."""
    expected = list(range(len(table)))
    for each in reversed(sort):
        column = each.column
        expected.sort(key=lambda row: (table[row][column] is not None, table[row][column]), reverse=each.descending)
    assert store.walked(table, sort, limit) == expected


@SHARED
@given(table=rows(COLUMNS), predicate=SEVERAL, data=st.data())
def test_predicates_that_differ_in_their_values_keep_their_own_rows(
    store: Store, table: list[Row], predicate: Expr, data: st.DataObject
) -> None:
    """A store that remembers the form of a predicate fills in the values of each."""
    predicates = [predicate, with_other_values(predicate, data), with_other_values(predicate, data), predicate]
    for each, kept in zip(predicates, store.kept(table, predicates), strict=True):
        assert kept == kept_by_python(table, each), f"{each!r} over {table!r}"
