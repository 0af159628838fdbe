"""``Load``, ``LoadById`` and ``Exists``: which row they find, and what they do where there is none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from loom.application.usecase.executor import Executor
from loom.core import (
    ABSENT,
    Exists,
    Header,
    Input,
    Load,
    LoadById,
    NotFound,
    OnMissing,
    Patch,
    UseCase,
    col,
    command,
    entity,
    field,
    key,
    relation,
)
from loom.domain.constraints import index
from tests.unit.usecase.store_models import Product
from tests.unit.usecase.use_case_bench import application, issues_of

JANUARY = dt.date(2026, 1, 1)
TEA = Product(id=1, sku="tea", name="Tea", price=Decimal("2.50"), stock=0)


@entity(table="rates")
class Rate:
    country: str = key(max_length=2)
    since: dt.date = key()
    percent: int = 0
    note: str | None = field(default=None, unique=True)


GERMAN = Rate(country="DE", since=JANUARY, percent=19, note="usual")


@entity(
    table="prices",
    indexes=[index("country", "article", unique=True), index("article", unique=True, where=col("article") != "")],
    profiles={"with_reviews": ("reviews",)},
)
class Price:
    id: int = key(autoincrement=True)
    country: str
    article: str
    reviews: tuple[Review, ...] = relation(foreign_key="price_id")


@entity(table="reviews")
class Review:
    id: int = key(autoincrement=True)
    price_id: int = field(references="prices.id")


@command
class Order:
    sku: str
    country: str
    article: Patch[str | None] = ABSENT


class BySku(UseCase[Product, str]):
    async def execute(self, sku: str, product: Product = Load(Product, by="sku")) -> str:
        return product.name


class BySkuInPath(UseCase[Product, str]):
    async def execute(self, product: Product = Load(Product, by="sku", from_param="code")) -> str:
        return product.name


class ByFieldOfCommand(UseCase[Product, str]):
    async def execute(
        self,
        cmd: Order = Input(),
        product: Product = Load(Product, by="sku", from_command="sku"),
        other: Product | None = Load(Product, by="sku", from_command="article"),
    ) -> str:
        return f"{product.name} and {other.name if other else 'nothing'}"


class ByBothKeys(UseCase[Rate, int]):
    async def execute(
        self,
        day: dt.date,
        cmd: Order = Input(),
        rate: Rate = Load(Rate, by={"country": "country", "since": "day"}),
    ) -> int:
        return rate.percent


class ByUniqueAndMore(UseCase[Rate, int | None]):
    async def execute(
        self,
        note: str,
        country: str,
        rate: Rate | None = Load(Rate, by={"note": "note", "country": "country"}, on_missing=OnMissing.NONE),
    ) -> int | None:
        return rate.percent if rate else None


class ByHeader(UseCase[Product, str]):
    async def execute(
        self, code: str = Header("X-Sku"), product: Product = Load(Product, by="sku", from_param="code")
    ) -> str:
        return product.name


class Known(UseCase[Rate, bool]):
    async def execute(
        self,
        day: dt.date,
        country: str,
        known: bool = Exists(Rate, against={"country": "country", "since": "day"}),
    ) -> bool:
        return known


class MustBeKnown(UseCase[Product, bool]):
    async def execute(
        self,
        cmd: Order = Input(),
        known: bool = Exists(Product, against="sku", from_command="article", on_missing=OnMissing.RAISE),
    ) -> bool:
        return known


@pytest.fixture
async def app() -> Executor:
    return await application(Product, Rate, given=(TEA, GERMAN))


async def test_a_row_is_loaded_by_a_unique_column(app: Executor) -> None:
    assert await app.invoke(BySku, params={"sku": "tea"}) == "Tea"
    assert await app.invoke(BySkuInPath, params={"code": "tea"}) == "Tea"
    assert await app.invoke(ByHeader, params={"code": "tea"}) == "Tea"


async def test_a_row_that_is_missing_is_not_found_and_named_by_its_columns(app: Executor) -> None:
    with pytest.raises(NotFound, match="Product with sku 'milk' does not exist"):
        await app.invoke(BySku, params={"sku": "milk"})
    with pytest.raises(NotFound, match=r"Rate \('FR', 2026-01-01\) does not exist"):
        await app.invoke(ByBothKeys, Order(sku="tea", country="FR"), params={"day": JANUARY})


async def test_a_value_that_was_not_sent_or_is_null_names_no_row(app: Executor) -> None:
    for article, answer in ((ABSENT, "nothing"), (None, "nothing"), ("tea", "Tea")):
        order = Order(sku="tea", country="DE", article=article)
        assert await app.invoke(ByFieldOfCommand, order) == f"Tea and {answer}"
    with pytest.raises(NotFound, match="sku 'milk'"):
        await app.invoke(ByFieldOfCommand, Order(sku="tea", country="DE", article="milk"))


async def test_a_row_is_loaded_by_a_composite_key(app: Executor) -> None:
    assert await app.invoke(ByBothKeys, Order(sku="tea", country="DE"), params={"day": JANUARY}) == 19


async def test_a_row_is_loaded_by_a_unique_column_and_another(app: Executor) -> None:
    assert await app.invoke(ByUniqueAndMore, params={"note": "usual", "country": "DE"}) == 19
    assert await app.invoke(ByUniqueAndMore, params={"note": "usual", "country": "FR"}) is None


class ByUniqueIndex(UseCase[Price, Price]):
    async def execute(
        self,
        price: Price = Load(Price, by={"country": "country", "article": "article"}, profile="with_reviews"),
        same: Price = LoadById(Price, by="price_id", profile="with_reviews"),
    ) -> Price:
        assert price == same
        return price


async def test_a_row_is_loaded_by_a_unique_index_with_what_a_profile_names() -> None:
    rows = (Price(id=1, country="DE", article="tea"), Review(id=5, price_id=1))
    app = await application(Price, Review, given=rows)
    price = await app.invoke(ByUniqueIndex, params={"country": "DE", "article": "tea", "price_id": 1})
    assert [review.id for review in price.reviews] == [5]
    with pytest.raises(NotFound, match="Price with country 'FR' and article 'tea' does not exist"):
        await app.invoke(ByUniqueIndex, params={"country": "FR", "article": "tea", "price_id": 1})


def test_a_partial_index_and_an_unknown_profile_are_refused() -> None:
    class Wrong(UseCase[Price, None]):
        async def execute(
            self,
            price: Price = Load(Price, by="article"),
            same: Price = LoadById(Price, by="price_id", profile="with_review"),
        ) -> None:
            return None

    partial, profile = issues_of(Wrong)
    assert partial.startswith("115 Load of 'price': several rows of Price may have the same article | ")
    assert profile == "104 Price profile 'with_review' does not exist | did you mean 'with_reviews'?"


async def test_existence_is_asked_by_several_columns(app: Executor) -> None:
    assert await app.invoke(Known, params={"day": JANUARY, "country": "DE"}) is True
    assert await app.invoke(Known, params={"day": JANUARY, "country": "FR"}) is False


async def test_existence_may_be_demanded_where_a_value_was_sent(app: Executor) -> None:
    assert await app.invoke(MustBeKnown, Order(sku="", country="", article="tea")) is True
    assert await app.invoke(MustBeKnown, Order(sku="", country="")) is False
    with pytest.raises(NotFound, match="Product with sku 'milk' does not exist"):
        await app.invoke(MustBeKnown, Order(sku="", country="", article="milk"))


def test_a_load_by_columns_that_several_rows_may_share_is_refused() -> None:
    class Wrong(UseCase[Rate, None]):
        async def execute(self, country: str, rate: Rate = Load(Rate, by="country")) -> None:
            return None

    assert issues_of(Wrong) == [
        (
            "115 Load of 'rate': several rows of Rate may have the same country | "
            "load by a key, a field(unique=True) or the columns of a unique index, or ask self.main_repo in execute"
        )
    ]


def test_a_row_that_may_be_missing_is_annotated_so() -> None:
    class Wrong(UseCase[Product, None]):
        async def execute(
            self,
            cmd: Order = Input(),
            first: Product = Load(Product, by="sku", on_missing=OnMissing.NONE),
            second: Product = Load(Product, by="sku", from_command="article"),
            third: Rate = Load(Product, by="sku"),
            fourth: str = Exists(Product, against="sku", from_command="sku"),
        ) -> None:
            return None

    assert issues_of(Wrong) == [
        "116 'first' is None where on_missing is NONE, but it is annotated Product | write first: Product | None",
        (
            "116 'second' is None where 'article' may be null or left out, but it is annotated Product | "
            "write second: Product | None"
        ),
        "119 'third' is annotated Rate, but Product is loaded | write third: Product",
        "119 Exists of 'fourth' is a bool, but annotated str | write fourth: bool",
    ]


def test_columns_and_sources_must_exist_and_meet() -> None:
    class Wrong(UseCase[Product, None]):
        async def execute(
            self,
            day: dt.date,
            cmd: Order = Input(),
            a: Product = Load(Product, by="skv"),
            b: Product = Load(Product, by="sku", from_command="skku"),
            c: Product = Load(Product, by="sku", from_param="day"),
            d: Product = Load(Product, by={"sku": "sku"}, from_command="sku"),
            e: Rate = LoadById(Rate, by="country"),
            f: bool = Exists(Rate, against={}),
            g: Product = Load(Product, by="sku", on_missing="raise"),  # type: ignore[arg-type]
        ) -> None:
            return None

    assert issues_of(Wrong) == [
        "104 Product field 'skv' does not exist | did you mean 'sku'?",
        "104 command field 'skku' does not exist | did you mean 'sku'?",
        "117 Load of 'c' compares Product.sku, which is string, with 'day', which is date | give both the same type",
        (
            "106 Load of 'd' needs a column and one source for it, or a mapping of columns to sources | "
            'write by="sku", from_command="sku", or by={"country": "country", "since": "day"}'
        ),
        (
            "105 Rate has a composite key, so 'country' cannot name it | "
            'write Load(Rate, by={"country": ..., "since": ...})'
        ),
        (
            "106 Exists of 'f' needs a column and one source for it, or a mapping of columns to sources | "
            'write against="sku", from_command="sku", or against={"country": "country", "since": "day"}'
        ),
        "118 the load of 'g': on_missing is 'raise' | write OnMissing.RAISE or OnMissing.NONE",
    ]


def test_a_source_that_nobody_declares_is_asked_of_the_call_in_the_type_of_its_column() -> None:
    class Hidden(UseCase[Rate, Any]):
        async def execute(self, rate: Rate = Load(Rate, by={"country": "land", "since": "day"})) -> Any:
            return rate

    assert issues_of(Hidden) == []
