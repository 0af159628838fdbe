"""Rules: what is tried, what is skipped, what fails, and where a failure points."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loom.application.usecase.executor import Executor
from loom.core import (
    ABSENT,
    Exists,
    F,
    FieldError,
    Input,
    Patch,
    Rule,
    UseCase,
    col,
    command,
    field,
    payload,
)
from tests.unit.usecase.store_models import CreateProduct, Product
from tests.unit.usecase.use_case_bench import application, issues_of, violations

TEA = Product(id=1, sku="tea", name="Tea", price=Decimal("2.50"), stock=0)


@attrs.frozen(kw_only=True)
class Address:
    city: str
    zip: str = "00000"


@attrs.frozen(kw_only=True)
class Line:
    sku: str
    quantity: int
    discount: int | None = None


@command
class PlaceOrder:
    address: Address = Address(city="Bonn")
    lines: Patch[list[Line] | None] = ABSENT
    tags: list[str] = field(factory=list)
    email: Patch[str | None] = ABSENT
    phone: Patch[str | None] = ABSENT
    low: int = 0
    high: int = 9


def has_at(email: str | None) -> str | None:
    return None if email and "@" in email else "has no @"


EMAIL = Rule.check(F(PlaceOrder).email, via=has_at)
PHONE = Rule.require(F(PlaceOrder).phone.like("+%"), message="has no country")


def unique(tags: list[str]) -> list[FieldError]:
    return [
        FieldError(path=(index,), message=f"{tag} is repeated", code="repeated")
        for index, tag in enumerate(tags)
        if tag in tags[:index]
    ]


def case(*rules: Rule) -> type[UseCase[Any, None]]:
    """A use case with these rules over ``PlaceOrder`` and a parameter ``most``."""

    class Place(UseCase[None, None]):
        async def execute(self, most: int = 5, cmd: PlaceOrder = Input()) -> None:
            return None

    Place.rules = rules
    return Place


@pytest.fixture
async def app() -> Executor:
    return await application(Product, given=(TEA,))


async def test_a_failure_points_into_nested_fields(app: Executor) -> None:
    rule = Rule.require(F(PlaceOrder).address.city != "", message="must not be empty")
    assert await violations(app, case(rule), PlaceOrder(address=Address(city=""))) == [
        "/address/city: must not be empty"
    ]


async def test_rules_over_each_item_point_at_the_item(app: Executor) -> None:
    rule = Rule.each(
        F(PlaceOrder).lines,
        Rule.require(F(Line).quantity > 0, message="must be positive"),
        Rule.check(F(Line).quantity, via=lambda n, most: "is too many" if n > most else None).from_params("most"),
        Rule.require(F(Line).discount < 50, message="is too much").when_present(F(Line).discount),
        Rule.forbid(lambda most: most == 0, message="nothing is sold").from_params("most"),
    )
    lines = [
        Line(sku="a", quantity=1),
        Line(sku="b", quantity=0, discount=60),
        Line(sku="c", quantity=7),
    ]
    assert await violations(app, case(rule), PlaceOrder(lines=lines)) == [
        "/lines/1/quantity: must be positive",
        "/lines/1/discount: is too much",
        "/lines/2/quantity: is too many",
    ]
    assert await violations(app, case(rule), PlaceOrder(lines=lines[:1]), most=0) == [
        "/lines/0/quantity: is too many",
        "/lines/0: nothing is sold",
    ]
    for nothing in (PlaceOrder(), PlaceOrder(lines=None), PlaceOrder(lines=[])):
        assert await violations(app, case(rule), nothing) == []


async def test_a_check_may_name_the_items_that_are_wrong(app: Executor) -> None:
    rule = Rule.check(F(PlaceOrder).tags, via=unique)
    assert await violations(app, case(rule), PlaceOrder(tags=["a", "b", "a", "b"])) == [
        "/tags/2: a is repeated",
        "/tags/3: b is repeated",
    ]


async def test_when_present_skips_what_is_null_or_was_not_sent(app: Executor) -> None:
    rule = PHONE.when_present(F(PlaceOrder).phone)
    assert await violations(app, case(rule), PlaceOrder(phone=None)) == []
    assert await violations(app, case(rule), PlaceOrder()) == []
    assert await violations(app, case(rule), PlaceOrder(phone="1")) == ["/phone: has no country"]
    # Without it a null is not true, so it fails.
    assert await violations(app, case(PHONE), PlaceOrder(phone=None)) == ["/phone: has no country"]


@pytest.mark.parametrize(("email", "phone"), list(itertools.product(("a@b", "a", ABSENT), ("+1", "1", ABSENT))))
async def test_or_fails_where_both_fail_and_and_reports_both(app: Executor, email: Any, phone: Any) -> None:
    sent = PlaceOrder(email=email, phone=phone)
    wrong = ["/email: has no @"] if email == "a" else []
    also = ["/phone: has no country"] if phone == "1" else []
    assert await violations(app, case(EMAIL & PHONE), sent) == wrong + also
    assert await violations(app, case(EMAIL | PHONE), sent) == (wrong + also if wrong and also else [])


async def test_combined_rules_nest_and_can_be_skipped_together(app: Executor) -> None:
    low = Rule.require(F(PlaceOrder).low >= 0, message="is negative")
    both = ((EMAIL & PHONE) | low).when_present(F(PlaceOrder).email)
    assert await violations(app, case(both), PlaceOrder(email="a", phone="1", low=-1)) == [
        "/email: has no @",
        "/phone: has no country",
        "/low: is negative",
    ]
    assert await violations(app, case(both), PlaceOrder(email="a", phone="1")) == []
    assert await violations(app, case(both), PlaceOrder(phone="1", low=-1)) == []


async def test_a_function_takes_fields_and_then_parameters(app: Executor) -> None:
    rule = (
        Rule.forbid(lambda low, high, most: high - low > most, message="is too wide")
        .from_command(F(PlaceOrder).low, F(PlaceOrder).high)
        .from_params("most")
    )
    assert await violations(app, case(rule), PlaceOrder(low=0, high=5)) == []
    assert await violations(app, case(rule), PlaceOrder(low=0, high=6)) == ["/low: is too wide"]
    assert await violations(app, case(rule), PlaceOrder(low=0, high=6), most=6) == []


async def test_a_rule_over_a_load_points_at_what_it_was_loaded_by(app: Executor) -> None:
    class Create(UseCase[Product, None]):
        rules = [Rule.forbid(lambda taken: taken, message="is taken").from_params("taken")]

        async def execute(
            self, cmd: CreateProduct = Input(), taken: bool = Exists(Product, against="sku", from_command="sku")
        ) -> None:
            return None

    assert await violations(app, Create, CreateProduct(sku="tea", name="", price=Decimal(1))) == ["/sku: is taken"]


async def test_a_check_that_returns_neither_text_nor_none_is_a_fault_of_the_program(app: Executor) -> None:
    for told in (False, ""):
        rule: Any = Rule.check(F(PlaceOrder).low, via=lambda low, told=told: told)
        with pytest.raises(TypeError, match=rf"Rule\.check returned {told!r}; it returns what is wrong, or None"):
            await app.invoke(case(rule), PlaceOrder())


def test_a_rule_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"combine rules with & and \|"):
        _ = EMAIL and PHONE


def test_every_misuse_of_a_rule_is_an_issue() -> None:
    wrong = case(
        Rule.require(F(PlaceOrder).address.ctiy != "", message="nested"),
        Rule.require(F(CreateProduct).price > 0, message="another command"),
        Rule.require(col("low") > 0, message="a column"),
        Rule.require(F(PlaceOrder).low > 0, message="unused").from_params("most"),
        Rule.require(True, message="constant"),  # type: ignore[arg-type]
        Rule.each(F(PlaceOrder).tags, EMAIL),
        Rule.each(F(PlaceOrder).lines, EMAIL),
        Rule.each(F(PlaceOrder).lines),
        EMAIL & Rule.check(via=has_at),
        PHONE.when_present(F(PlaceOrder).fone),
        PHONE.at(payload.phone),
        "no rule",  # type: ignore[arg-type]
    )
    assert issues_of(wrong) == [
        "120 Rule: address field 'ctiy' does not exist | did you mean 'city'?",
        (
            "126 Rule: F(CreateProduct).price is a field of CreateProduct, but the values are those of PlaceOrder | "
            "write F(PlaceOrder)"
        ),
        "126 Rule: col('low') is no field of the command | write F(Command).field",
        (
            "125 a rule (unused) is an expression, which reads its own fields; from_command and from_params have no "
            "effect | write a function of the values, or leave them out; "
            ".at(F(Command).field) says where a failure points"
        ),
        (
            "125 the condition of a rule (constant) is True, neither an expression nor a function | "
            "write F(Command).field > 0, or a function of the values"
        ),
        (
            "125 Rule.each: F(PlaceOrder).tags is no list of attrs classes | check other lists with Rule.check, whose "
            "function may return FieldError(path=(index,), ...)"
        ),
        "126 Rule: F(PlaceOrder).email is a field of PlaceOrder, but the values are those of Line | write F(Line)",
        "123 Rule.each(F(PlaceOrder).lines) has no rules | add rules over F(Item)",
        "123 a rule (check) reads nothing | add .from_command(F(Command).field) or .from_params(name)",
        "120 Rule.when_present: command field 'fone' does not exist | did you mean 'phone'?",
        "126 Rule: payload.phone is no field of the command | write F(Command).field",
        "124 rule 'str' does not exist | known: EachRule, FieldRule, RuleGroup",
    ]


def test_rules_are_a_list() -> None:
    class One(UseCase[None, None]):
        rules = EMAIL  # type: ignore[assignment]

        async def execute(self, cmd: PlaceOrder = Input()) -> None:
            return None

    assert issues_of(One) == ["124 rules is a FieldRule, not a list | write rules = [Rule....]"]
