"""A row becomes the entity through its own constructor, whatever shape that has."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loom.adapters.json.codec import JsonCodec
from loom.application.builders import only_assigns
from loom.application.row_compiler import compile_rows
from loom.application.rows import Conversion
from loom.domain.absent import ABSENT
from loom.domain.errors import InvalidInput
from loom.domain.model import entity, field, key, schema_of

NOW = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)


class Sku(str):
    """A text of its own class."""

    __slots__ = ()


class Money(Decimal):
    """An amount of its own class."""

    __slots__ = ()


@attrs.define
class Odd:
    """An attrs class as a service may have it: a private field, a field that the constructor does not take."""

    code: Sku
    _secret: str = "s"
    width: int = attrs.field(default=2, kw_only=True)
    area: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.area = self.width**2


entity(table="odd", key="code")(Odd)


@entity(table="paid")
class Paid:
    id: int = key(autoincrement=True)
    amount: Money = field(precision=8, scale=2)


@entity(table="priced")
class Priced:
    id: int = key(autoincrement=True)
    price: Decimal = field(precision=38, scale=9)
    codes: list[str] = field(factory=lambda: ["new"])


def plan(model: type, conversions: dict[str, Conversion] | None = None) -> Any:
    return compile_rows(schema_of(model), JsonCodec(), conversions)


def test_private_and_uninitialised_fields_come_back() -> None:
    rows = plan(Odd)
    made = rows.build(["A", "hidden", 3, 7])
    assert (made.code, made._secret, made.width, made.area) == ("A", "hidden", 3, 7)
    assert type(made.code) is Sku
    assert rows.insert(made, now=NOW) == ["A", "hidden", 3, 7]


def test_a_decimal_of_its_own_class_comes_back_as_one() -> None:
    rows = plan(Paid)
    stored = rows.insert({"amount": Money("1.5")}, now=NOW)
    made = rows.build([1, *stored[1:]])
    assert (type(stored[1]), type(made.amount), str(made.amount)) == (Decimal, Money, "1.50")


def test_factories_make_a_value_for_each_row() -> None:
    rows = plan(Priced)
    first = rows.insert({"price": 1, "codes": ABSENT}, now=NOW)
    assert first == [None, Decimal(1), '["new"]']
    assert rows.build([1, *first[1:]]) == Priced(id=1, price=Decimal(1), codes=["new"])


def test_decimals_of_38_digits_are_exact() -> None:
    rows = plan(Priced)
    wide = Decimal("12345678901234567890123456789.123456789")
    assert rows.insert({"price": wide}, now=NOW)[1] == wide
    assert rows.insert({"price": Decimal("1E+28")}, now=NOW)[1] == Decimal(10) ** 28
    for price in (Decimal("1E+29"), Decimal("12345678901234567890123456789.1234567891")):
        with pytest.raises(InvalidInput, match="digits"):
            rows.insert({"price": price}, now=NOW)


def test_a_store_keeps_a_field_in_its_own_way() -> None:
    cents = Conversion(store=lambda value: int(value * 100), load=lambda stored: Decimal(stored) / 100)
    rows = plan(Priced, {"price": cents})
    row = rows.insert({"id": 5, "price": Decimal("1.5"), "codes": []}, now=NOW)
    assert row == [5, 150, "[]"]
    assert rows.build(row) == Priced(id=5, price=Decimal("1.5"), codes=[])


def test_what_is_no_mapping_and_no_attrs_object_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must be a mapping or an attrs object, not UUID"):
        plan(Priced).insert(uuid.UUID(int=1), now=NOW)


def test_a_value_that_json_cannot_hold_is_refused_with_its_field() -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(Priced).insert({"price": 1, "codes": [object()]}, now=NOW)
    assert [error.path[0] for error in caught.value.errors] == ["codes"]


@attrs.define
class Assigned:
    code: str
    width: int = 2


@attrs.frozen
class Frozen:
    code: str
    width: int = 2


def upper(text: str) -> str:
    return text.upper()


@attrs.define
class Counted:
    """Whose constructor does more than assign."""

    code: str = attrs.field(converter=upper)
    width: int = attrs.field(default=2, validator=attrs.validators.gt(1))


@attrs.define
class Watched:
    code: str
    width: int = 2

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value.title() if isinstance(value, str) else value)


class Made(Assigned):
    def __init__(self, code: str, width: int) -> None:
        super().__init__(code=f"{code}!", width=width)


for model in (Assigned, Frozen, Counted, Watched):
    entity(table=f"made_{model.__name__.lower()}", key="code")(model)


@pytest.mark.parametrize(
    ("model", "simple"), [(Assigned, True), (Frozen, False), (Counted, False), (Watched, False), (Odd, False)]
)
def test_a_constructor_is_left_out_only_where_it_does_nothing_but_assign(model: type, simple: bool) -> None:
    assert only_assigns(model) is simple


def test_a_subclass_with_a_constructor_of_its_own_is_not_simple() -> None:
    assert not only_assigns(Made)


@pytest.mark.parametrize("model", [Assigned, Frozen, Counted, Watched])
def test_an_entity_is_what_its_constructor_makes(model: type) -> None:
    assert plan(model).build(["ab c", 3]) == model("ab c", 3)


def test_what_a_constructor_refuses_is_refused_of_a_row() -> None:
    with pytest.raises(ValueError, match="'width' must be > 1"):
        plan(Counted).build(["a", 0])
