"""Rules and computes that look right and are not: each is an issue before a call could meet it."""

from __future__ import annotations

from typing import Any

from loom.core import (
    ABSENT,
    Compute,
    F,
    Input,
    Load,
    Patch,
    Rule,
    UseCase,
    command,
)
from tests.unit.usecase.store_models import Product
from tests.unit.usecase.use_case_bench import issues_of


@command
class Order:
    sku: str
    pieces: int = 1
    note: Patch[str | None] = ABSENT


def with_rules(*rules: Any) -> type[UseCase[Any, Any]]:
    class Ruled(UseCase[Product, None]):
        async def execute(self, cmd: Order = Input(), product: Product = Load(Product, by="sku")) -> None:
            return None

    Ruled.rules = rules
    return Ruled


def with_computes(*computes: Any) -> type[UseCase[Any, Any]]:
    class Computed(UseCase[Product, None]):
        async def execute(self, percent: int, cmd: Order = Input()) -> None:
            return None

    Computed.computes = computes
    return Computed


async def ask(pieces: int) -> str | None:
    return None


class AsksLater:
    async def __call__(self, pieces: int) -> str | None:
        return None


def test_the_function_of_a_rule_takes_what_the_rule_names() -> None:
    wrong = with_rules(
        Rule.check(F(Order).pieces, F(Order).sku, via=lambda pieces: None),
        Rule.forbid(lambda: True, message="none").from_params("product"),
        Rule.check(F(Order).pieces, via=ask),  # type: ignore[arg-type]
        Rule.check(F(Order).pieces, via=AsksLater()),  # type: ignore[arg-type]
        Rule.check(F(Order).pieces, via=lambda pieces, most=3: None),
        Rule.check(F(Order).sku, via=str.strip),
    )
    takes = "let it take what from_command and from_params name: fields first, then parameters"
    waits = "write a plain function; what the store knows comes from Load or Exists"
    assert issues_of(wrong) == [
        f"134 a rule (check) has a function that does not take 2 values: too many positional arguments | {takes}",
        f"134 a rule (none) has a function that does not take 1 value: too many positional arguments | {takes}",
        f"134 a rule (check) has an async function, which nobody would await | {waits}",
        f"134 a rule (check) has an async function, which nobody would await | {waits}",
    ]


def test_parameters_are_named_by_text() -> None:
    rule = Rule.check(via=lambda pieces: None).from_params(F(Order).pieces)  # type: ignore[arg-type]
    assert issues_of(with_rules(rule)) == [
        '121 Rule: F(Order).pieces is no parameter\'s name | write .from_params("name")'
    ]
    compute = Compute.set(F(Order).pieces).from_params(F(Order).pieces)  # type: ignore[arg-type]
    assert issues_of(with_computes(compute)) == [
        '111 Compute: F(Order).pieces is no parameter\'s name | write .from_params("name")'
    ]


def test_a_compute_gives_what_its_field_holds() -> None:
    wrong = with_computes(
        Compute.set(F(Order).pieces).from_command(F(Order).sku),
        Compute.set(F(Order).sku).from_params("percent"),
        Compute.set(F(Order).pieces).from_command(F(Order).pieces, F(Order).sku, via=lambda pieces: pieces),
        Compute.set(F(Order).pieces).from_command(F(Order).pieces, via=ask),
        Compute.set(F(Order).pieces).from_params("percent"),
        Compute.set(F(Order).note).from_command(F(Order).sku),
        Compute.set(F(Order).pieces).from_command(F(Order).sku, via=len),
    )
    same = "give both the same type, or add via=function"
    assert [told.partition(" | ")[0] for told in issues_of(wrong)] == [
        "112 Compute.set(F(Order).pieces) sets int to string",
        "112 Compute.set(F(Order).sku) sets string to int",
        "134 Compute.set(F(Order).pieces) has a function that does not take 2 values: too many positional arguments",
        "134 Compute.set(F(Order).pieces) has an async function, which nobody would await",
    ]
    assert issues_of(wrong)[0].endswith(same)


def test_a_rule_says_what_is_wrong() -> None:
    wrong: Any = 3
    rules = [Rule.require(F(Order).pieces > 0, message=message) for message in ("", wrong)]
    assert [told.partition(" | ")[0] for told in issues_of(with_rules(*rules))] == [
        "125 the message of a rule is ''",
        "125 the message of a rule is 3",
    ]


def test_fields_are_those_of_classes() -> None:
    quoted: Any = "Order"
    assert [
        told.partition(" | ")[0] for told in issues_of(with_rules(Rule.require(F(quoted).pieces > 0, message="m")))
    ] == ["126 Rule: F('Order').pieces is a field of Order, but the values are those of Order"]
    whole: Any = F(Order)
    assert issues_of(with_rules(Rule.check(whole, via=lambda order: None))) == [
        "126 Rule: F(Order) is no field of the command | write F(Command).field"
    ]
