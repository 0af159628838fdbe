"""Lists are compiled once for each shape, and whoever asks in many shapes fills no memory."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.engine.url import make_url

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.lists import Call
from loom.adapters.sqlalchemy.models import StoredModel, compile_stored
from loom.adapters.sqlalchemy.statements import compiled
from loom.application.shapes import MOST_CONSTANTS, MOST_SHAPES
from loom.domain.errors import InvalidInput
from loom.domain.expr import Expr, col
from loom.domain.model import entity, field, key, relation
from loom.domain.query import Query, Sort

AT = dt.datetime(2013, 1, 1, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))


@entity(table="listed_shelves")
class Shelf:
    code: str = key()
    room: str


@entity(table="listed_things", profiles={"whole": ("shelf",)})
class Thing:
    ident: int = key(autoincrement=True)
    name: str
    stock: int | None = None
    weight: float | None = None
    price: Decimal = field(precision=12, scale=2)
    ready: bool = False
    made: dt.datetime | None = None
    token: uuid.UUID | None = None
    lasts: dt.timedelta | None = None
    shelf_code: str = field(references="listed_shelves.code")
    shelf: Shelf = relation()


def things(driver: str) -> StoredModel:
    dialect: Dialect = make_url(f"{driver}://").get_dialect()()
    return compile_stored([Shelf, Thing], JsonCodec(), dialect).by_class[Thing]


@pytest.fixture(params=["sqlite+aiosqlite", "postgresql+asyncpg"])
def model(request: pytest.FixtureRequest) -> StoredModel:
    return things(request.param)


@pytest.fixture
def compilations(model: StoredModel, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    made: list[object] = []

    def counted(construct: Any, dialect: Dialect) -> Any:
        made.append(construct)
        return compiled(construct, dialect)

    monkeypatch.setattr("loom.adapters.sqlalchemy.lists.compiled", counted)
    return made


def asked(model: StoredModel, query: Query) -> Call:
    loading = model.loadings[query.profile] if query.profile else None
    return model.lists.rows(model.plan.bounds(query), loading, limit=query.limit, offset=query.offset)


def test_one_shape_is_compiled_once(model: StoredModel, compilations: list[object]) -> None:
    calls = [
        asked(
            model,
            Query(
                where=(col("name") == f"n{number}") & (col("stock") > number) & col("shelf.room").like(f"{number}%"),
                sort=(Sort("weight", descending=True),),
                after=(None if number < 0 else number / 2, number),
                limit=number + 1,
                profile="whole",
            ),
        )
        for number in range(20)
    ]
    assert len(compilations) == 1
    assert len({id(statement) for statement, _ in calls}) == 1
    assert len({arguments for _, arguments in calls}) == 20


@pytest.mark.parametrize(
    "other",
    [
        Query(where=col("stock") > 1.5),
        Query(where=col("stock") < 1),
        Query(where=col("weight") > 1),
        Query(where=col("stock") > 1, sort=(Sort("name"),)),
        Query(where=col("stock") > 1, sort=(Sort("ident", descending=True),)),
        Query(where=col("stock") > 1, limit=None),
        Query(where=col("stock") > 1, offset=2),
        Query(where=col("stock") > 1, after=(7,)),
        Query(where=col("stock") > 1, profile="whole"),
        Query(),
    ],
)
def test_another_shape_is_another_statement(model: StoredModel, other: Query) -> None:
    one, two = asked(model, Query(where=col("stock") > 1)), asked(model, other)
    assert one[0] is not two[0]
    assert len(two[0].names) == len(two[1])


def test_positions_with_and_without_nulls_are_two_shapes(model: StoredModel, compilations: list[object]) -> None:
    for after in ((None, 1), (2.5, 1), (None, 2), (3.5, 2)):
        asked(model, Query(sort=(Sort("weight"),), after=after))
    assert len(compilations) == 2


def test_counts_and_picked_columns_are_compiled_once(model: StoredModel, compilations: list[object]) -> None:
    for number in range(5):
        where = model.plan.living(col("stock") == number)
        assert model.lists.count(where)[1] == (number,)
        picked = model.lists.only(("ident", "name"))
        model.lists.rows(model.plan.bounds(Query(where=col("stock") == number)), picked, limit=number)
    assert len(compilations) == 2


def test_many_shapes_stay_few(model: StoredModel) -> None:
    for number in range(2 * MOST_SHAPES):
        condition: Expr = col("stock") == 0
        for bit in range(10):
            condition &= col("weight") < 1 if number >> bit & 1 else col("weight") > 1
        asked(model, Query(where=condition))
    assert 0 < len(model.lists._shapes) <= MOST_SHAPES
    assert 0 < len(model.plan._checked) <= MOST_SHAPES


def test_lists_of_all_lengths_have_few_shapes(model: StoredModel, compilations: list[object]) -> None:
    for length in range(200):
        statement, arguments = asked(model, Query(where=col("stock").is_in(range(length)), limit=None))
        assert set(arguments) == set(range(length))
        assert len(arguments) == len(statement.names)
    assert len(compilations) <= 12


def test_a_shape_with_very_many_constants_is_not_kept(model: StoredModel) -> None:
    for _ in range(2):
        asked(model, Query(where=col("stock").is_in(range(MOST_CONSTANTS + 1))))
    assert len(model.lists._shapes) == 0
    assert len(model.plan._checked) == 0


def test_values_are_checked_though_the_shape_is_known(model: StoredModel) -> None:
    asked(model, Query(where=col("stock") == 1))
    with pytest.raises(InvalidInput, match="is outside"):
        asked(model, Query(where=col("stock") == 2**63))
    asked(model, Query(after=(1,)))
    with pytest.raises(InvalidInput, match="the value of 'ident'"):
        asked(model, Query(after=("one",)))


def test_what_does_not_fit_is_refused_each_time(model: StoredModel) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput, match="did you mean 'stock'"):
            asked(model, Query(where=col("stok") == 1))
        with pytest.raises(InvalidInput, match="joins string with int"):
            asked(model, Query(where=col("name") == 1))
        with pytest.raises(InvalidInput, match="did you mean 'name'"):
            asked(model, Query(sort=(Sort("nam"),)))


SQLITE_VALUES = [
    (col("made") == AT, "2013-01-01T07:30:00.000000+00:00"),
    (col("token") == uuid.UUID(int=5), str(uuid.UUID(int=5))),
    (col("lasts") == dt.timedelta(seconds=2), 2_000_000),
    (col("price") == Decimal("2.5"), 250),
    (col("price") == Decimal("2.50"), 250),
    (col("price") == 3, 300),
    (col("price") == 2**62, 2.0**62 * 100),
    (col("name").like("a%*_"), "a*[*]?"),
]


@pytest.mark.parametrize(("where", "value"), SQLITE_VALUES, ids=repr)
def test_arguments_are_what_sqlite_keeps(where: Expr, value: object) -> None:
    model = things("sqlite+aiosqlite")
    assert asked(model, Query(where=where, limit=None))[1] == (value,)
    # And once more, when the shape is known.
    assert asked(model, Query(where=where, limit=7))[1][:2] == (value, 7)


@pytest.mark.parametrize("value", [AT, uuid.UUID(int=5), dt.timedelta(seconds=2), Decimal("2.5"), 3], ids=repr)
def test_arguments_of_postgresql_are_python_values_with_their_type_in_the_text(value: Any) -> None:
    model = things("postgresql+asyncpg")
    column = {dt.datetime: "made", uuid.UUID: "token", dt.timedelta: "lasts", Decimal: "price", int: "stock"}
    statement, arguments = asked(model, Query(where=col(column[type(value)]) == value, limit=9, offset=3))
    assert arguments == (value, 9, 3)
    assert [f"${place}::" in statement.sql for place in (1, 2, 3)] == [True] * 3
