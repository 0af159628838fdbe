"""Declarations that look right and are not: each is an issue, never a traceback from inside and never silence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from loom.core import (
    ABSENT,
    Compute,
    Created,
    ExpectedVersion,
    F,
    Header,
    Input,
    Load,
    LoadById,
    Patch,
    Repository,
    Rule,
    UseCase,
    col,
    command,
    entity,
)
from loom.rest import auto_crud
from tests.unit.usecase.store_models import Product
from tests.unit.usecase.use_case_bench import issues_of


@command
class Order:
    sku: str
    pieces: int = 1
    note: Patch[str | None] = ABSENT


@command
class Contradictory:
    always: Patch[str]
    never: Patch[str] = None  # type: ignore[assignment]
    left_out: str = ABSENT  # type: ignore[assignment]
    empty: int = None  # type: ignore[assignment]
    text: int = "one"  # type: ignore[assignment]
    fine: Patch[str | None] = None


class Plain:
    """No class of attrs: ``entity`` makes another one of it."""

    id: int = 0


entity(table="plain_of_misuse")(Plain)


def test_a_marker_that_is_not_called_is_told() -> None:
    class Bare(UseCase[Product, None]):
        async def execute(self, cmd: Order = Input, product: Product = LoadById) -> None:  # type: ignore[assignment]
            return None

    assert issues_of(Bare) == [
        "131 'cmd' has Input as its default, which is not called | write cmd: Order = Input(...)",
        "131 'product' has LoadById as its default, which is not called | write product: Product = LoadById(...)",
    ]


def test_a_parameter_is_no_patch() -> None:
    class Patched(UseCase[Product, None]):
        async def execute(self, note: Patch[str] = ABSENT) -> None:
            return None

    assert issues_of(Patched) == [
        "131 'note' is a Patch, which only a field of a command can be | write note: ... | None = None"
    ]


@pytest.mark.parametrize(
    "marker",
    [
        lambda: Load(Product, by=["sku"]),  # type: ignore[arg-type]
        lambda: Load(Product, by=col("sku")),  # type: ignore[arg-type]
        lambda: Load(Product, by={"sku": F(Order).sku}),  # type: ignore[dict-item]
        lambda: Load(Product, by="sku", from_command=F(Order).sku),  # type: ignore[arg-type]
        lambda: LoadById(Product, by=3),  # type: ignore[arg-type]
        lambda: LoadById(Product, by=""),
    ],
)
def test_columns_and_sources_are_names(marker: Callable[[], Any]) -> None:
    class Loads(UseCase[Product, None]):
        async def execute(self, cmd: Order = Input(), product: Product = marker()) -> None:
            return None

    (told,) = issues_of(Loads)
    assert told.startswith("106 ")


def test_one_row_is_no_list_of_rows() -> None:
    class Loads(UseCase[Product, None]):
        async def execute(self, rows: list[Product] = Load(Product, by="sku")) -> None:
            return None

    (told,) = issues_of(Loads)
    assert told.startswith("119 'rows' is annotated list[")
    assert told.endswith("but Product is loaded | write rows: Product")


def test_the_name_of_a_header_is_text() -> None:
    class Asks(UseCase[Product, None]):
        async def execute(self, client: str = Header(3)) -> None:  # type: ignore[arg-type]
            return None

    assert issues_of(Asks) == ["127 Header(3) of 'client' is no header's name | write Header(\"X-Client\")"]


def test_an_option_that_is_nearly_one_is_told() -> None:
    class Misspelt(UseCase[Product, None]):
        rule = (Rule.require(F(Order).pieces > 0, message="must be positive"),)
        compute = Compute.set(F(Order).sku).from_command(F(Order).sku, via=str.lower)
        readonly = True
        read_only = 1  # type: ignore[assignment]
        limit = 3

        async def execute(self, cmd: Order = Input()) -> None:
            return None

    assert issues_of(Misspelt) == [
        "132 read_only is 1 | write True or False",
        "132 Misspelt.rule has no effect | did you mean 'rules'?",
        "132 Misspelt.compute has no effect | did you mean 'computes'?",
    ]


def test_shared_rules_under_a_name_of_their_own_are_no_misspelling() -> None:
    class Shared(UseCase[Product, None]):
        base_rules = (Rule.require(F(Order).pieces > 0, message="must be positive"),)
        rules = (*base_rules,)
        cached = True

        async def execute(self, cmd: Order = Input()) -> None:
            return None

    assert issues_of(Shared) == []


def test_a_command_does_not_contradict_itself() -> None:
    class Takes(UseCase[Product, None]):
        async def execute(self, cmd: Contradictory = Input()) -> None:
            return None

    name = "of Contradictory"
    assert issues_of(Takes) == [
        (
            "133 Contradictory.always is a Patch, but has no default, so that it cannot be left out | "
            "write always: Patch[...] = ABSENT"
        ),
        f"133 the default None {name}.never does not fit its type: it is never null | write never: ... | None",
        f"133 the default ABSENT {name}.left_out does not fit its type | write left_out: Patch[...] = ABSENT",
        f"133 the default None {name}.empty does not fit its type: it is never null | write empty: ... | None",
        (
            f"133 the default 'one' {name}.text does not fit its type: it must be an integer, not str | "
            "correct the default or the type"
        ),
    ]


def test_the_main_model_is_the_class_itself() -> None:
    class Quoted(UseCase["Product", None]):
        async def execute(self) -> None:
            return None

    class Many(UseCase[list[Product], None]):
        async def execute(self) -> None:
            return None

    class Before(UseCase[Plain, None]):
        async def execute(self) -> None:
            return None

    for use_case in (Quoted, Many, Before):
        (told,) = issues_of(use_case)
        assert told.startswith("113 the main model ")


def test_execute_is_an_async_method() -> None:
    class Static(UseCase[Product, None]):
        @staticmethod
        async def execute(cmd: Order = Input()) -> None:
            return None

    class Yields(UseCase[Product, AsyncIterator[int]]):
        async def execute(self) -> AsyncIterator[int]:  # type: ignore[override]
            yield 1

    (told,) = issues_of(Static)
    assert told.startswith("101 Static has no async execute | define async def execute(self, ...) in the class")
    assert issues_of(Yields) == [
        (
            "101 Yields.execute yields its values itself | "
            "write async def execute(self, ...) that returns an iterator: return self.main_repo.stream(query)"
        )
    ]


def test_a_constructor_says_what_it_asks_for() -> None:
    class Asks(UseCase[Product, None]):
        def __init__(self, mailer, orders: Repository[Order], *rest: Any, **more: Any) -> None:  # type: ignore[no-untyped-def]
            return None

        async def execute(self) -> None:
            return None

    assert issues_of(Asks) == [
        "114 Asks(mailer) has no annotation | annotate it with the type that it asks for",
        (
            "114 Asks(orders: ...) asks for the repository of Order, which is not an entity | "
            "decorate the class with @entity(table=...)"
        ),
    ]


def test_a_load_is_by_values_and_by_each_in_one_type() -> None:
    class Chained(UseCase[Product, None]):
        async def execute(
            self, product: Product = LoadById(Product), again: Product = LoadById(Product, by="product")
        ) -> None:
            return None

    class Twice(UseCase[Product, None]):
        async def execute(
            self, product: Product = LoadById(Product), named: Product = Load(Product, by="sku", from_param="id")
        ) -> None:
            return None

    assert issues_of(Chained) == [
        (
            "104 'product' is no value to load by: it is loaded itself, or the whole command | "
            "name a field of the command or a parameter of the call; what hangs on a row comes with a profile"
        )
    ]
    assert issues_of(Twice) == [
        "117 'id' is loaded by as int and as str | name two parameters of the call: LoadById(..., by=\"book_id\")"
    ]


def test_nothing_is_asked_for_twice() -> None:
    class Doubled(UseCase[Product, None]):
        async def execute(
            self,
            client: str = Header("X-Client"),
            again: str = Header("x-client"),
            expected: int | None = ExpectedVersion(),
            other: int | None = ExpectedVersion(),
        ) -> None:
            return None

    assert issues_of(Doubled) == [
        "127 'client' and 'again' both read the header x-client | read it once",
        "130 more than one ExpectedVersion(): expected, other | leave one of them",
    ]


def test_execute_gives_what_the_use_case_promises() -> None:
    class Text(UseCase[Product, Product]):
        async def execute(self) -> str:  # type: ignore[override]
            return ""

    class Nothing(UseCase[Product, Created[Product]]):
        async def execute(self) -> Product | None:  # type: ignore[override]
            return None

    assert issues_of(Text) == ["135 Text is a UseCase of Product, but its execute gives str | let both say the same"]
    (told,) = issues_of(Nothing)
    assert told.startswith("135 Nothing is a UseCase of loom.")


def test_it_may_give_less_than_that() -> None:
    class Found(UseCase[Product, Product | None]):
        async def execute(self) -> Product:
            raise NotImplementedError

    class Number(UseCase[None, float]):
        async def execute(self) -> int:
            return 1

    class Anything(UseCase[None, object]):
        async def execute(self) -> dict[str, int]:
            return {}

    class Changed(auto_crud(Product).delete):  # type: ignore[misc]
        async def execute(self) -> Product:
            raise NotImplementedError

    for use_case in (Found, Number, Anything, Changed):
        assert issues_of(use_case) == []
