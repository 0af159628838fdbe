"""What the use-case compiler accepts, and the text of everything that it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.usecase.compiler import compile_use_case
from loom.application.usecase.plan import UseCasePlan
from loom.core import Compute, Exists, F, Input, LoadById, Repository, Rule, UseCase
from tests.unit.usecase.store_models import Bound, CreateProduct, Mailer, Product


@attrs.frozen
class PlainCommand:
    sku: str


class Loose:
    pass


class Complete(UseCase[Product, Product]):
    computes = [Compute.set(F(CreateProduct).name).from_command(F(CreateProduct).name, via=str.strip)]
    rules = [
        Rule.check(F(CreateProduct).price, via=lambda price: None if price > 0 else "must be positive"),
        Rule.forbid(lambda taken: taken, message="sku is taken").from_params("taken"),
    ]

    def __init__(self, mailer: Mailer, others: Repository[Product]) -> None:
        self.mailer = mailer
        self.others = others

    async def execute(
        self,
        product_id: int,
        cmd: CreateProduct = Input(),
        product: Product = LoadById(Product, by="product_id"),
        taken: bool = Exists(Product, from_command="sku", against="sku"),
    ) -> Product:
        return product


class HiddenKey(UseCase[Product, Product]):
    async def execute(self, product: Product = LoadById(Product, by="product_id")) -> Product:
        return product


class TakesPlainAttrs(UseCase[None, str]):
    async def execute(self, cmd: PlainCommand = Input()) -> str:
        return cmd.sku


class Synchronous(UseCase[Product, Product]):
    def execute(self, cmd: CreateProduct = Input()) -> Product:  # type: ignore[override]
        raise NotImplementedError


class Misspelt(UseCase[Product, Product]):
    computes = [Compute.set(F(CreateProduct).nmae).from_command(F(CreateProduct).name, via=str.strip)]
    rules = [
        Rule.check(F(CreateProduct).prise, via=lambda price: None),
        Rule.forbid(lambda taken: taken, message="taken").from_params("takne"),
        Rule.require(F(CreateProduct).price > "0", message="positive"),
        Rule.forbid(lambda: True, message="reads nothing"),
    ]

    def __init__(self, mailer: Mailer) -> None:
        self.mailer = mailer

    async def execute(
        self,
        cmd: CreateProduct = Input(),
        taken: bool = Exists(Product, from_command="skku", against="skv"),
        other: Any = LoadById(Loose, by="id"),
    ) -> Product:
        raise NotImplementedError


class MainModelNotEntity(UseCase[Loose, None]):
    async def execute(self) -> None:
        return None


def compiled(use_case: type[UseCase[Any, Any]], *bound: object) -> tuple[UseCasePlan | None, list[tuple[str, str]]]:
    issues = Issues()
    plan = compile_use_case(use_case, issues, Bound(*bound))
    return plan, [(issue.code, f"{issue.message} | {issue.remedy}") for issue in issues.found]


def test_a_complete_use_case_compiles_into_its_parameters_in_order() -> None:
    plan, issues = compiled(Complete, Mailer())
    assert issues == []
    assert plan is not None
    assert plan.model is Product
    assert plan.command is CreateProduct
    assert plan.result is Product
    assert [(param.name, param.source) for param in plan.params] == [
        ("product_id", "param"),
        ("cmd", "command"),
        ("product", "load"),
        ("taken", "exists"),
    ]


def test_a_load_asks_the_call_for_a_key_that_execute_does_not_take() -> None:
    plan, _ = compiled(HiddenKey)
    assert plan is not None
    hidden = plan.params[0]
    assert (hidden.name, hidden.annotation, hidden.passed) == ("product_id", int, False)


def test_a_plain_attrs_class_is_a_command() -> None:
    plan, issues = compiled(TakesPlainAttrs)
    assert issues == []
    assert plan is not None
    assert plan.command is PlainCommand
    assert plan.model is None


def test_execute_must_be_async() -> None:
    plan, issues = compiled(Synchronous)
    assert plan is None
    assert issues == [
        (
            "LOOM-CORE-101",
            (
                "Synchronous has no async execute | define async def execute(self, ...) in the class; "
                "the name of a base class begins with an underscore"
            ),
        )
    ]


def test_every_misspelling_is_reported_together_with_what_was_meant() -> None:
    plan, issues = compiled(Misspelt)
    assert plan is None
    assert issues == [
        ("LOOM-CORE-104", "Product field 'skv' does not exist | did you mean 'sku'?"),
        ("LOOM-CORE-104", "command field 'skku' does not exist | did you mean 'sku'?"),
        (
            "LOOM-CORE-103",
            "LoadById of 'other' names 'Loose', which is not an entity | decorate the class with @entity(table=...)",
        ),
        ("LOOM-CORE-110", "Compute: command field 'nmae' does not exist | did you mean 'name'?"),
        ("LOOM-CORE-120", "Rule: command field 'prise' does not exist | did you mean 'price'?"),
        ("LOOM-CORE-121", "Rule: parameter 'takne' does not exist | did you mean 'taken'?"),
        ("LOOM-CORE-122", "(F(CreateProduct).price > '0') joins decimal with string | "),
        (
            "LOOM-CORE-123",
            "a rule (reads nothing) reads nothing | add .from_command(F(Command).field) or .from_params(name)",
        ),
        (
            "LOOM-CORE-114",
            "nothing is bound to Mailer, which Misspelt(mailer: ...) asks for | bind it: kernel.bind(Type, instance)",
        ),
    ]


def test_the_main_model_must_be_an_entity() -> None:
    _, issues = compiled(MainModelNotEntity)
    assert [code for code, _ in issues] == ["LOOM-CORE-113"]


def test_an_issue_says_where_the_declaration_stands() -> None:
    issues = Issues()
    compile_use_case(Synchronous, issues, Bound())
    where = issues.found[0].where
    assert where.file.endswith("test_compile_use_case.py")
    assert where.line > 0


@pytest.mark.parametrize("price", [Decimal(1), Decimal("0.01")])
def test_commands_are_frozen(price: Decimal) -> None:
    command = CreateProduct(sku="a", name="b", price=price)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        command.name = "c"  # type: ignore[misc]
