"""``entity`` in each of its forms, and the table that a class gets where nobody names one."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal

import attrs
import pytest

from loom.core import FieldOptions, NotFound, entity, key, schema_of
from loom.domain.naming import snake_case


@attrs.define
class OrderLine:
    """A class of a service that knows nothing of loom."""

    id: int
    sku: str


@entity
class PriceList:
    id: int = key(autoincrement=True)
    name: str


def test_a_class_of_somebody_else_becomes_an_entity_by_a_call() -> None:
    assert entity(OrderLine) is OrderLine
    schema = schema_of(OrderLine)
    assert (schema.table, [field.name for field in schema.keys]) == ("order_line", ["id"])


def test_the_bare_decorator_is_the_decorator_without_arguments() -> None:
    assert schema_of(PriceList).table == "price_list"
    assert schema_of(entity()(OrderLine)).table == "order_line"
    assert PriceList(id=1, name="Summer") == PriceList(id=1, name="Summer")


def test_a_table_that_is_named_wins() -> None:
    assert schema_of(entity(table="lines")(OrderLine)).table == "lines"


@pytest.mark.parametrize(
    ("name", "snake"),
    [("Order", "order"), ("OrderLine", "order_line"), ("HTTPCall", "http_call"), ("Area51Site", "area51_site")],
)
def test_class_names_become_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake


def test_a_row_that_is_not_found_by_columns_names_them() -> None:
    assert str(NotFound("Product", 7)) == "Product 7 does not exist"
    assert str(NotFound("Product", "tea", by=("sku",))) == "Product with sku 'tea' does not exist"
    assert str(NotFound("Rate", ("DE", 2), by=("country", "level"))) == (
        "Rate with country 'DE' and level 2 does not exist"
    )


def test_a_key_is_shown_as_clients_write_it() -> None:
    class Level(enum.Enum):
        HIGH = "high"

    day, moment = dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 8, tzinfo=dt.UTC)
    assert str(NotFound("Note", uuid.UUID(int=7))) == f"Note {uuid.UUID(int=7)} does not exist"
    assert str(NotFound("Rate", ("DE", day, Decimal("1.50"), Level.HIGH))) == (
        "Rate ('DE', 2026-01-02, 1.50, 'high') does not exist"
    )
    assert str(NotFound("Rate", moment, by=("at",))) == "Rate with at 2026-01-02T08:00:00+00:00 does not exist"


@entity(timestamps=True, version="revision", soft_delete=True)
class Document:
    id: int = key(autoincrement=True)
    title: str


@entity
class Invoice(Document):
    total: Decimal


def test_what_the_store_keeps_for_an_entity_it_keeps_for_one_that_is_derived_from_it() -> None:
    assert schema_of(Invoice).table == "invoice"
    assert schema_of(Invoice).kept == ("created_at", "updated_at", "revision", "deleted_at")


def test_what_was_said_beside_a_class_holds_for_one_that_is_derived_from_it() -> None:
    @attrs.define
    class Part:
        number: str
        name: str

    @attrs.define
    class Screw(Part):
        length: int

    entity(key="number", fields={"name": FieldOptions(max_length=20)})(Part)
    entity(fields={"length": FieldOptions(index=True)})(Screw)
    assert [entry.name for entry in schema_of(Screw).keys] == ["number"]
    found = {entry.name: entry.options for entry in schema_of(Screw).fields}
    assert (found["name"].max_length, found["length"].index) == (20, True)
