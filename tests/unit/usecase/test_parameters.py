"""Computes, and the parameters that a caller gives by name: defaults, headers, ``Query()``, and their misuse."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loom.core import (
    ApplicationInvoker,
    Compute,
    Created,
    Exists,
    F,
    Header,
    Input,
    InvalidInput,
    LoadById,
    OnMissing,
    Page,
    Query,
    UseCase,
    command,
    event,
)
from loom.domain.errors import ScopeClosed
from tests.unit.usecase.store_models import Product
from tests.unit.usecase.use_case_bench import application, issues_of

TEA = Product(id=1, sku="tea", name="Tea", price=Decimal("2.50"), stock=0)


@command
class Price:
    net: Decimal
    gross: Decimal = Decimal(0)
    note: str = ""


@event
class Peeked:
    id: int


class Tax(UseCase[None, Price]):
    computes = [
        Compute.set(F(Price).gross)
        .from_command(F(Price).net)
        .from_params("percent", via=lambda net, percent: net * (100 + percent) / 100),
        Compute.set(F(Price).note).from_params("client"),
    ]

    async def execute(self, percent: int = 10, client: str | None = Header("X-Client"), cmd: Price = Input()) -> Price:
        return cmd


@command
class Pieces:
    name: str = attrs.field(validator=attrs.validators.min_len(1))
    pieces: str
    count: int = 0


class Counted(UseCase[None, Pieces]):
    computes = [
        Compute.set(F(Pieces).name).from_command(F(Pieces).name, via=str.strip),
        Compute.set(F(Pieces).count).from_command(F(Pieces).pieces, via=int),
    ]

    async def execute(self, cmd: Pieces = Input()) -> Pieces:
        return cmd


class Listed(UseCase[Product, Page[Product]]):
    read_only = True

    async def execute(self, query: Query = Query()) -> Page[Product]:
        return await self.main_repo.list(query)


class Make(UseCase[Product, Created[Product]]):
    async def execute(self, sku: str) -> Created[Product]:
        values = {"sku": sku, "name": sku, "price": Decimal(1)}
        return Created(await self.main_repo.create(values), location=f"/products/{sku}")


async def test_a_compute_joins_fields_parameters_and_their_defaults() -> None:
    app = await application()
    assert (await app.invoke(Tax, Price(net=Decimal(10)))).gross == 11
    priced = await app.invoke(Tax, Price(net=Decimal(10)), params={"percent": 20, "client": "till"})
    assert (priced.gross, priced.note) == (Decimal(12), "till")


async def test_what_cannot_be_computed_is_invalid_input_at_its_field() -> None:
    app = await application()
    for name, pieces, told in (
        ("  ", "3", "/name: Length of 'name' must be >= 1"),
        ("tea", "x", "/count: invalid literal"),
    ):
        with pytest.raises(InvalidInput, match=told):
            await app.invoke(Counted, Pieces(name=name, pieces=pieces))
    assert (await app.invoke(Counted, Pieces(name=" tea ", pieces="3"))) == Pieces(name="tea", pieces="3", count=3)


async def test_a_query_is_given_by_name_and_has_a_default() -> None:
    app = await application(Product, given=(TEA,))
    assert [row.sku for row in (await app.invoke(Listed)).items] == ["tea"]
    assert (await app.invoke(Listed, params={"query": Query(offset=1)})).items == ()


async def test_what_was_created_comes_back_wrapped() -> None:
    made = await (await application(Product)).invoke(Make, params={"sku": "milk"})
    assert (made.value.sku, made.location) == ("milk", "/products/milk")


async def test_a_required_header_is_missing_like_any_parameter() -> None:
    class Asks(UseCase[None, int]):
        async def execute(self, size: int = Header("X-Size")) -> int:
            return size

    app = await application()
    assert await app.invoke(Asks, params={"size": 3}) == 3
    with pytest.raises(InvalidInput, match="/size: is missing"):
        await app.invoke(Asks)


def test_a_compute_over_a_load_is_refused_with_the_reason() -> None:
    class Wrong(UseCase[Product, None]):
        computes = [
            Compute.set(F(Price).net).from_params("product", via=lambda product: product.price),
            Compute.set(F(Price).note).from_params("known", via=str),
            Compute.set(F(Price).note).from_params("idd", via=str),
            Compute.set(F(Price).note),
            Compute.set(F(Price).net).from_command(F(Price).net, F(Price).gross),
            Compute.set(F(Product).stock).from_command(F(Price).net),
            "no compute",  # type: ignore[list-item]
        ]

        async def execute(
            self,
            id: int,  # noqa: A002 - the name of the key
            cmd: Price = Input(),
            product: Product = LoadById(Product),
            known: bool = Exists(Product, against="id", from_param="id"),
        ) -> None:
            return None

    assert issues_of(Wrong) == [
        (
            "111 Compute: 'product' comes from the store, and computes run before loads | "
            "compute it in execute, or from the field or parameter that it is loaded by"
        ),
        (
            "111 Compute: 'known' comes from the store, and computes run before loads | "
            "compute it in execute, or from the field or parameter that it is loaded by"
        ),
        "111 Compute: parameter 'idd' does not exist | did you mean 'id'?",
        "112 Compute.set(F(Price).note) has no source | add .from_command(F(Command).field, via=function)",
        "112 Compute.set(F(Price).net) has 2 sources and no via | add via=function",
        "110 Compute: command field 'stock' does not exist | known: gross, net, note",
        "112 'no compute' is no Compute | begin with Compute.set(F(Command).field)",
    ]


def test_every_misuse_of_a_parameter_is_an_issue() -> None:
    class Wrong(UseCase[None, None]):
        async def execute(  # type: ignore[no-untyped-def]
            self,
            untyped,
            day: dt.date = "today",  # type: ignore[assignment]
            size: int = Header("X Size"),
            token: str = Header("Authorization"),
            count: int = Header("X-Count", default="three"),
            query: Query = Query(limit=5),
            other: str = Query(),  # type: ignore[assignment]
            *rest: Any,
        ) -> None:
            return None

    assert issues_of(Wrong) == [
        "109 parameter '*rest' cannot be given by name | declare every parameter by its name and type",
        "109 parameter 'untyped' has no annotation | annotate it with its type",
        (
            "129 the default 'today' of 'day' is no date: it must be a date, not str | "
            "correct the default or the annotation"
        ),
        "127 Header('X Size') of 'size' is no header's name | write Header(\"X-Client\")",
        (
            "127 the header Authorization of 'token' is read by the protocol itself, and OpenAPI has no place for it | "
            "ask for the Context in the constructor: its principal is who calls"
        ),
        (
            "129 the default 'three' of 'count' is no int: it must be an integer, not str | "
            "correct the default or the annotation"
        ),
        (
            "128 the Query of 'query' narrows what the caller asks for, but the caller's takes its place | "
            "write Query(), and attrs.evolve(query, ...) in execute"
        ),
        "128 'other' is marked Query(), but annotated str | write other: Query",
    ]


class Peek(UseCase[Product, None]):
    read_only = True

    def __init__(self, app: ApplicationInvoker) -> None:
        self.nested = app

    async def execute(self) -> None:
        self.emit(Peeked(id=1))
        await self.main_repo.delete(1)
        await self.nested.invoke(Listed)
        await self.nested.invoke(Make, params={"sku": "tea"})


class PeekBehindAName(UseCase[Product, None]):
    read_only = True

    def __init__(self, app: ApplicationInvoker) -> None:
        self.nested = app

    async def execute(self) -> None:
        for use_case in [Make]:
            await self.nested.invoke(use_case, params={"sku": "tea"})


def test_writes_that_a_read_only_use_case_visibly_makes_are_issues() -> None:
    assert issues_of(Peek) == [
        "130 Peek is read_only, but emits an event | set read_only = False",
        "130 Peek is read_only, but calls self.main_repo.delete | set read_only = False",
        (
            "130 Peek is read_only, but invokes Make, which writes | "
            "set read_only = False on Peek, or read_only = True on Make"
        ),
    ]


async def test_a_nested_write_that_nobody_could_see_is_refused_when_it_runs() -> None:
    with pytest.raises(ScopeClosed, match="Make writes, but the scope that calls it is read-only"):
        await (await application(Product)).invoke(PeekBehindAName)


def test_a_load_that_may_find_nothing_is_allowed_where_the_annotation_says_so() -> None:
    class Fine(UseCase[Product, None]):
        async def execute(
            self, product: Product | None = LoadById(Product, by="product_id", on_missing=OnMissing.NONE)
        ) -> None:
            return None

    assert issues_of(Fine) == []
