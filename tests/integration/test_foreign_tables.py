"""Tables that loom did not make: read as what they are, or refused before anything runs."""

from __future__ import annotations

import datetime as dt
import enum
import sqlite3
import uuid
from decimal import Decimal
from pathlib import Path

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.core import Query, entity, field, key
from loom.domain.errors import ConfigError, EngineFailure
from loom.testing.clock import FakeClock
from tests.servers.postgres_client import execute


class State(enum.Enum):
    DRAFT = "draft"


@entity(table="foreign_products")
class Product:
    id: int = key()
    price: Decimal = field(precision=12, scale=2)


@entity(table="foreign_things")
class Thing:
    id: int = key()
    state: State = State.DRAFT
    flag: bool = False
    tags: list[int] = field(factory=list)
    code: uuid.UUID = field(factory=uuid.uuid4)
    cost: Decimal = field(precision=12, scale=2, default=Decimal(0))
    at: dt.datetime = field(factory=lambda: dt.datetime.now(dt.UTC))
    made: dt.datetime | None = None


def store(url: str) -> SqlPersistence:
    return provide(SqlalchemySettings(url=url), codec=JsonCodec(), clock=FakeClock())


async def refused(url: str, model: type) -> list[str]:
    opened = store(url)
    with pytest.raises(ConfigError) as caught:
        await opened.start([model])
    assert {issue.code for issue in caught.value.issues} == {"LOOM-DB-007"}
    return [issue.message for issue in caught.value.issues]


@pytest.mark.parametrize("column", ["numeric(12,2)", "integer", "real", "text"])
async def test_decimals_of_another_program_are_not_taken_for_scaled_integers(tmp_path: Path, column: str) -> None:
    file = tmp_path / "foreign.db"
    with sqlite3.connect(file) as db:
        db.execute(f"create table foreign_products (id integer primary key, price {column} not null)")
        db.execute("insert into foreign_products values (1, 9.90)")
    told = await refused(f"sqlite+aiosqlite:///{file}", Product)
    assert "Product.price was not made by loom: its decimals are not scaled integers" in told
    with sqlite3.connect(file) as db:
        assert [(number, str(price)) for number, price in db.execute("select * from foreign_products")] == [(1, "9.9")]


async def test_every_column_of_another_type_is_named_on_sqlite(tmp_path: Path) -> None:
    file = tmp_path / "foreign.db"
    with sqlite3.connect(file) as db:
        db.execute(
            "create table foreign_things (id integer primary key, state text not null, flag char(1) not null,"
            " tags json not null, code char(32) not null, cost integer not null, at datetime not null,"
            " made text not null default current_timestamp)"
        )
    told = await refused(f"sqlite+aiosqlite:///{file}", Thing)
    assert [message.partition(":")[0].partition(" ")[0] for message in told] == [
        *("Thing.flag", "Thing.code", "Thing.at", "Thing.made", "Thing.cost")
    ]


@pytest.mark.postgres
async def test_every_column_of_another_type_is_named_on_postgresql(fresh_postgres_url: str) -> None:
    execute(fresh_postgres_url, "create type state as enum ('draft')")
    execute(
        fresh_postgres_url,
        "create table foreign_things (id bigint primary key, state state not null, flag char(1) not null,"
        " tags int[] not null, code varchar(36) not null, cost double precision not null, at timestamp not null,"
        " made timestamptz not null default now())",
    )
    told = await refused(fresh_postgres_url, Thing)
    assert told == [
        "Thing.state: the column is state, but enum is kept as text",
        "Thing.flag: the column is character(1), but bool is kept as boolean",
        "Thing.tags: the column is integer[], but array is kept as json",
        "Thing.code: the column is character varying(36), but uuid is kept as uuid",
        "Thing.cost: the column is double precision, but decimal is kept as numeric",
        "Thing.at: the column is timestamp without time zone, but datetime is kept as timestamp with time zone",
        "Thing.made: the column is never null, but may be null in the model",
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-01-01 10:00:00"),
        ("at", "2026-01-01 10:00:00+00:00"),
        ("code", uuid.UUID(int=7).hex),
        ("flag", "Y"),
    ],
)
async def test_a_value_that_another_program_wrote_is_no_other_value(tmp_path: Path, column: str, value: str) -> None:
    """Nor is it the fault of whoever reads the row."""
    file = tmp_path / "ours.db"
    opened = store(f"sqlite+aiosqlite:///{file}")
    await opened.start([Thing])
    async with opened.begin() as unit:
        await unit.repository(Thing).create({"id": 1})
        await unit.commit()
    with sqlite3.connect(file) as db:
        db.execute(f"update foreign_things set {column} = ?", (value,))
    async with opened.begin(read_only=True) as unit:
        with pytest.raises(EngineFailure, match="a row holds"):
            await unit.repository(Thing).list(Query())
    await opened.stop()
    # The table itself is ours.
    again = store(f"sqlite+aiosqlite:///{file}")
    await again.start([Thing])
    await again.stop()
