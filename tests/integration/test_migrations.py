"""Migrations on real databases: what changes in the models is written down, applied, and loses no row."""

import datetime as dt
import uuid
import warnings
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.migrations import Difference, Migrations
from loom.adapters.sqlalchemy.persistence import SqlPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.constraints import index
from loom.domain.errors import CheckFailed, ConfigError, Conflict
from loom.domain.expr import col
from loom.domain.model import entity, field, key
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_models import MODELS


@entity(table="shops")
class Shop:
    code: str = key(max_length=8)


def first_models() -> tuple[type, ...]:
    """The models of the first release."""

    @entity(
        table="products",
        checks={"price_positive": col("price") > 0, "has_name": col("name") != ""},
        indexes=[index("stock", where=col("stock") > 0), index("name")],
    )
    class Product:
        id: int = key(autoincrement=True)
        name: str = field(max_length=50)
        price: Decimal = field(precision=12, scale=2)
        stock: int | None = None
        note: str | None = None

    @entity(table="sales")
    class Sale:
        id: int = key(autoincrement=True)
        product: int = field(references="products.id")

    return Shop, Product, Sale


def second_models() -> tuple[type, ...]:
    """A column less, four more, one that is never null now, another check, another index, a reference, a table."""

    @entity(
        table="products",
        timestamps=True,
        version=True,
        soft_delete=True,
        checks={"price_positive": col("price") >= Decimal("0.50"), "has_name": col("name") != ""},
        indexes=[index("stock", where=col("stock") > 10), index("name", "shop", unique=True)],
    )
    class Product:
        id: int = key(autoincrement=True)
        name: str = field(max_length=50)
        price: Decimal = field(precision=12, scale=2)
        stock: int = 0
        shop: str | None = field(default=None, references="shops.code")
        discount: Decimal = field(default=Decimal("0.25"), precision=4, scale=2)
        since: dt.date = dt.date(2020, 2, 29)
        title: str = "it's new"

    @entity(table="sales")
    class Sale:
        id: int = key(autoincrement=True)
        product: int = field(references="products.id")

    @entity(table="coupons")
    class Coupon:
        code: str = key()

    return Shop, Product, Sale, Coupon


def priced(scale: int) -> tuple[type, ...]:
    """A decimal with so many digits after the point, which checks and an index speak of."""

    @entity(
        table="priced",
        checks={"positive": col("price") >= Decimal("0.50"), "cheap": col("price") <= 2},
        indexes=[index("price", where=col("price") > Decimal("0.75"))],
    )
    class Priced:
        id: int = key(autoincrement=True)
        price: Decimal = field(precision=12, scale=scale)
        note: Decimal | None = field(default=None, precision=12, scale=scale)

    return (Priced,)


def keyed(*names: str) -> tuple[type, ...]:
    """A table with this key."""

    @attrs.define
    class Bed:
        ward: str
        number: int

    return (entity(table="beds", key=names)(Bed),)


def growing(wide: bool) -> tuple[type, ...]:
    """A table, and the same with a column of each kind more."""
    fields: dict[str, tuple[Any, Any]] = {
        "text": (str, "100%s \\ :name 'x' ::y"),
        "quoted": (str, "'x'"),
        "kind": (Literal["a:b", "c"], "a:b"),
        "body": (bytes, b"\x00'"),
        "empty": (bytes, b""),
        "took": (dt.timedelta, -dt.timedelta(days=1, microseconds=1)),
        "at": (dt.datetime, dt.datetime(2020, 2, 29, 1, 2, 3, 4, tzinfo=dt.UTC)),
        "opens": (dt.time, dt.time(23, 59, 59, 999999)),
        "token": (uuid.UUID, uuid.UUID(int=5)),
        "rate": (Decimal, Decimal("-1.500000000")),
        "ratio": (float, -1.5e-7),
        "active": (bool, False),
        "tags": (list[str], attrs.Factory(list)),
        "scores": (tuple[int, ...], ()),
        "meta": (dict[str, Any], attrs.Factory(dict)),
    }
    body = {name: attrs.field(type=kind, default=default) for name, (kind, default) in fields.items()}
    made = attrs.make_class("Growing", {"id": attrs.field(type=int), **(body if wide else {})})
    return (entity(table="growing")(made),)


def knotted() -> tuple[type, ...]:
    """Two tables that refer to each other."""

    @entity(table="first")
    class First:
        id: int = key(autoincrement=True)
        other: int | None = field(default=None, references="second.id")

    @entity(table="second")
    class Second:
        id: int = key(autoincrement=True)
        other: int | None = field(default=None, references="first.id", on_delete="set_null")

    return First, Second


def tables_of_like_names() -> tuple[type, ...]:
    """Two tables whose indexes and unique constraints would have the same names."""

    @entity(table="user")
    class User:
        id: int = key()
        group_name: str = field(default="", unique=True, index=True)

    @entity(table="user_group")
    class Group:
        id: int = key()
        name: str = field(default="", unique=True, index=True)

    return User, Group


class MigrationSuite:
    """What holds on every database."""

    @pytest.fixture
    async def settings(self) -> AsyncIterator[SqlalchemySettings]:
        raise NotImplementedError

    async def test_nothing_differs_after_the_tables_were_made(self, settings: SqlalchemySettings) -> None:
        """Whatever the models hold: every kind of column, key, reference, check and index."""
        migrations = Migrations(settings, MODELS)
        made = await migrations.create()
        assert {"contract_flights", "contract_offers", "loom_outbox"} <= set(made)
        assert await migrations.create() == ()
        assert await migrations.diff("nothing") == Difference(file=None, without_model=())

    async def test_an_upgrade_makes_what_a_start_would_make(self, settings: SqlalchemySettings) -> None:
        migrations = Migrations(settings, MODELS)
        difference = await migrations.diff("First release")
        assert difference.file is not None
        assert difference.file.name.endswith("_first_release.py")
        assert await migrations.upgrade() == (difference.file.name,)
        assert await migrations.upgrade() == ()
        assert (await migrations.diff("nothing")).file is None
        await started(settings, MODELS)

    async def test_a_second_release_keeps_the_rows_of_the_first(self, settings: SqlalchemySettings) -> None:
        shop, product, sale = first_models()
        await migrated(settings, (shop, product, sale))
        store = await opened(settings, (shop, product, sale))
        async with store.begin() as unit:
            await unit.repository(shop).create({"code": "a"})
            for name in ("pen", "ink"):
                made: Any = await unit.repository(product).create({"name": name, "price": Decimal("1.5"), "stock": 2})
            await unit.repository(sale).create({"product": 1})
            await unit.repository(product).delete(made.id)
            await unit.commit()
        await store.stop()

        later = second_models()
        with pytest.raises(ConfigError, match="migrate the database"):
            await started(settings, later)
        await migrated(settings, later)
        assert (await Migrations(settings, later).diff("nothing")).file is None

        store = await opened(settings, later)
        async with store.begin() as unit:
            products: Any = unit.repository(later[1])
            pen: Any = await products.get(1)
            assert (pen.name, pen.price, pen.stock, pen.version) == ("pen", Decimal("1.50"), 2, 1)
            assert (pen.discount, pen.since, pen.title) == (Decimal("0.25"), dt.date(2020, 2, 29), "it's new")
            assert (pen.shop, pen.created_at, pen.deleted_at) == (None, None, None)
            assert await unit.repository(later[2]).count() == 1
            next_one: Any = await products.create({"name": "ink", "price": Decimal(2), "shop": "a"})
            # The number of the deleted row is not given again.
            assert next_one.id == 3
            await unit.commit()
        for values, refusal in (
            ({"name": "x", "price": Decimal("0.49")}, CheckFailed),
            ({"name": "", "price": Decimal(1)}, CheckFailed),
            ({"name": "ink", "price": Decimal(1), "shop": "a"}, Conflict),
            ({"name": "x", "price": Decimal(1), "shop": "b"}, Conflict),
        ):
            async with store.begin() as unit:
                with pytest.raises(refusal):
                    await unit.repository(later[1]).create(values)
        async with store.begin() as unit:
            with pytest.raises(Conflict):
                await unit.repository(later[2]).create({"product": 99})
        await store.stop()

    @pytest.mark.parametrize(("before", "after", "kept"), [(2, 4, "1.5000"), (4, 2, "1.50")])
    async def test_decimals_keep_their_values_where_their_scale_changes(
        self, settings: SqlalchemySettings, before: int, after: int, kept: str
    ) -> None:
        """Also among checks and partial indexes whose constants are scaled too. Nothing reads them wrongly before."""
        (first,), (second,) = priced(before), priced(after)
        await migrated(settings, (first,))
        store = await opened(settings, (first,))
        async with store.begin() as unit:
            await unit.repository(first).create({"price": Decimal("1.5")})
            await unit.commit()
        await store.stop()
        if settings.url.startswith("sqlite"):
            with pytest.raises(ConfigError, match=f"Priced.price has the scale {after}, but its values have {before}"):
                await started(settings, (second,))

        await migrated(settings, (second,))
        assert (await Migrations(settings, (second,)).diff("nothing")).file is None
        store = await opened(settings, (second,))
        async with store.begin() as unit:
            rows: Any = unit.repository(second)
            found = await rows.get(1)
            assert (str(found.price), found.note) == (kept, None)
            with pytest.raises(CheckFailed):
                await rows.create({"price": Decimal("2.01")})
        await store.stop()

    async def test_another_key_is_left_to_a_person(self, settings: SqlalchemySettings) -> None:
        await Migrations(settings, keyed("ward")).create()
        migrations = Migrations(settings, keyed("ward", "number"))
        assert (await migrations.diff("key")).file is not None
        with pytest.raises(ConfigError, match=r"the key of beds is \(ward\) and becomes \(ward, number\)"):
            await migrations.upgrade()

    async def test_new_columns_are_filled_with_the_defaults_of_their_fields(self, settings: SqlalchemySettings) -> None:
        """Whatever the text holds, and whichever kind the column is of."""
        (bare,), (wide,) = growing(False), growing(True)
        await migrated(settings, (bare,))
        store = await opened(settings, (bare,))
        async with store.begin() as unit:
            await unit.repository(bare).create({"id": 1})
            await unit.commit()
        await store.stop()
        await migrated(settings, (wide,))
        assert (await Migrations(settings, (wide,)).diff("nothing")).file is None
        store = await opened(settings, (wide,))
        async with store.begin() as unit:
            rows: Any = unit.repository(wide)
            found = await rows.get(1)
        await store.stop()
        assert found == wide(id=1)
        assert (type(found.body), type(found.empty)) == (bytes, bytes)

    async def test_tables_may_refer_to_each_other(self, settings: SqlalchemySettings) -> None:
        models = knotted()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await migrated(settings, models)
            assert (await Migrations(settings, models).diff("nothing")).file is None
        store = await opened(settings, models)
        for model in models:
            async with store.begin() as unit:
                with pytest.raises(Conflict, match="no row exists that other refers to"):
                    await unit.repository(model).create({"other": 99})
        await store.stop()

    async def test_names_that_two_tables_would_share_are_told_apart(self, settings: SqlalchemySettings) -> None:
        models = tables_of_like_names()
        await migrated(settings, models)
        assert (await Migrations(settings, models).diff("nothing")).file is None
        store = await opened(settings, models)
        for model, column in zip(models, ("group_name", "name"), strict=True):
            async with store.begin() as unit:
                await unit.repository(model).create({"id": 1})
                with pytest.raises(Conflict, match=f"another row has the same {column}"):
                    await unit.repository(model).create({"id": 2})
        await store.stop()

    async def test_files_that_were_not_applied_come_first(self, settings: SqlalchemySettings) -> None:
        await Migrations(settings, first_models()).diff("first")
        with pytest.raises(ConfigError, match="loom db upgrade"):
            await Migrations(settings, second_models()).diff("second")

    async def test_a_table_without_a_model_stays(self, settings: SqlalchemySettings) -> None:
        """It may be somebody else's; it is named."""
        await Migrations(settings, [Shop, *MODELS]).create()
        found = await Migrations(settings, MODELS).diff("nothing")
        assert found == Difference(file=None, without_model=("shops",))

    async def test_a_migration_that_fails_leaves_nothing_half_done(self, settings: SqlalchemySettings) -> None:
        migrations = Migrations(settings, [Shop])
        file = (await migrations.diff("first")).file
        assert file is not None
        text = file.read_text()
        file.write_text(text.replace("\n\ndef downgrade", '    raise RuntimeError("stop")\n\n\ndef downgrade'))
        with pytest.raises(ConfigError, match="RuntimeError: stop"):
            await migrations.upgrade()
        file.write_text(text)
        assert await migrations.upgrade() == (file.name,)
        await started(settings, [Shop])

    async def test_tables_that_were_made_at_once_count_as_migrated(self, settings: SqlalchemySettings) -> None:
        """A new developer's database: made from the models, and later migrated like every other."""
        await Migrations(settings, first_models()).diff("first")
        await Migrations(settings, first_models()).create()
        assert await Migrations(settings, first_models()).upgrade() == ()


@pytest.mark.asyncio
class TestSqliteMigrations(MigrationSuite):
    @pytest.fixture
    def settings(self, tmp_path: Path) -> SqlalchemySettings:
        return settings_for(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}", tmp_path)


@pytest.mark.asyncio
@pytest.mark.postgres
class TestPostgresMigrations(MigrationSuite):
    @pytest.fixture
    def settings(self, fresh_postgres_url: str, tmp_path: Path) -> SqlalchemySettings:
        return settings_for(fresh_postgres_url, tmp_path)


def settings_for(url: str, folder: Path) -> SqlalchemySettings:
    return SqlalchemySettings(url=url, create_tables=False, migrations=str(folder / "100% ours"))


async def migrated(settings: SqlalchemySettings, models: tuple[type, ...]) -> None:
    """Write the difference and apply it."""
    migrations = Migrations(settings, models)
    file = (await migrations.diff("release")).file
    assert file is not None
    assert await migrations.upgrade() == (file.name,)


async def opened(settings: SqlalchemySettings, models: Any) -> SqlPersistence:
    store = provide(settings, codec=JsonCodec(), clock=FakeClock())
    await store.start(models)
    return store


async def started(settings: SqlalchemySettings, models: Any) -> None:
    """The store starts, though it may make no table."""
    await (await opened(settings, models)).stop()
