"""What every repository must do with one row: create, read back, change, delete, refuse."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loom.domain.constraints import TIMESTAMPS
from loom.domain.errors import Conflict, InvalidInput
from loom.domain.model import schema_of
from loom.ports.persistence import Persistence
from loom.testing.clock import START, FakeClock
from loom.testing.contracts.persistence_models import (
    EVERY_KIND,
    Airline,
    CreateProduct,
    Document,
    Flight,
    PatchProduct,
    PersistenceSuite,
    Priority,
    Product,
    Shelf,
    Status,
)


def pen(sku: str = "pen") -> CreateProduct:
    """A command that creates a product."""
    return CreateProduct(sku=sku, name="Pen", price=Decimal("1.5"))


ANY_ID = uuid.UUID(int=1)

MISFITS: dict[str, dict[str, Any]] = {
    "text for a number": {"ratio": "0.5"},
    "a boolean for a number": {"ratio": True},
    "a number that is none": {"ratio": float("nan")},
    "an infinite number": {"ratio": float("-inf")},
    "a number that no float holds": {"ratio": 10**400},
    "a float for a decimal": {"amount": 1.5},
    "too many digits after the point": {"amount": Decimal("1.23456")},
    "too many digits before the point": {"amount": Decimal(10) ** 14},
    "an infinite decimal": {"amount": Decimal("Infinity")},
    "a datetime without zone": {"at": dt.datetime(2013, 1, 1)},  # noqa: DTZ001 - that is the fault
    "an instant before the year 1": {"at": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14)))},
    "an instant after the year 9999": {"at": dt.datetime(9999, 12, 31, 20, tzinfo=dt.timezone(-dt.timedelta(hours=9)))},
    "a datetime for a date": {"day": dt.datetime(2013, 1, 1, tzinfo=dt.UTC)},
    "a time with zone": {"opens": dt.time(1, tzinfo=dt.UTC)},
    "text with half a character in a struct": {"address": {"city": "\ud800", "since": dt.date(2013, 1, 1)}},
    "bytes that are too long": {"body": bytes(513)},
    "a status that does not exist": {"status": "lost"},
    "a grade that does not exist": {"grade": "c"},
    "null where none may be": {"status": None},
    "an item of the wrong type": {"scores": [True]},
    "a struct without its field": {"address": {"city": "B"}},
}


@pytest.mark.asyncio
class RepositoryContract(PersistenceSuite):
    """The contract of ``Reader.get`` and ``Writer``."""

    async def test_a_new_row_comes_back_as_stored(self, persistence: Persistence) -> None:
        """The store gives the number and the times, the model its defaults, the column its scale."""
        async with persistence.begin() as unit:
            made = await unit.repository(Product).create(pen())
            await unit.commit()
        assert (made.id > 0, made.sku, made.name, str(made.price), made.stock) == (True, "pen", "Pen", "1.50", 0)
        assert made.tags == []
        assert times(made) == (START, START)
        assert await read(persistence, Product, made.id) == made

    async def test_every_kind_of_value_comes_back(self, persistence: Persistence) -> None:
        """Exactly: type, scale, zone, microseconds, every byte."""
        async with persistence.begin() as unit:
            assert await unit.repository(Document).create(EVERY_KIND) == EVERY_KIND
            await unit.commit()
        found = await read(persistence, Document, EVERY_KIND.id)
        assert found == EVERY_KIND
        for name in schema_of(Document).names:
            assert type(getattr(found, name)) is type(getattr(EVERY_KIND, name)), name
        assert found.at is not None
        assert found.at.utcoffset() == dt.timedelta(0)

    async def test_a_whole_number_in_a_float_column_is_a_float(self, persistence: Persistence) -> None:
        """From the statement that writes it too: JSON of a created row and of a read one must not differ."""
        async with persistence.begin() as unit:
            made = await unit.repository(Document).create({"id": ANY_ID, "ratio": 2.0})
            changed = await unit.repository(Document).update(ANY_ID, {"ratio": 3.0})
            await unit.commit()
        assert changed is not None
        found = await read(persistence, Document, ANY_ID)
        assert [type(row.ratio) for row in (made, changed, found)] == [float, float, float]

    async def test_nulls_come_back(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            await unit.repository(Document).create({"id": ANY_ID})
            await unit.commit()
        assert await read(persistence, Document, ANY_ID) == Document(id=ANY_ID)

    async def test_a_datetime_of_another_zone_is_the_same_instant(self, persistence: Persistence) -> None:
        there = dt.datetime(2013, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
        async with persistence.begin() as unit:
            made = await unit.repository(Document).create({"id": ANY_ID, "at": there})
        assert made.at == there
        assert made.at is not None
        assert made.at.tzinfo is dt.UTC

    @pytest.mark.parametrize("at", [dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)])
    async def test_the_first_and_the_last_instant_keep_their_zone(
        self, persistence: Persistence, at: dt.datetime
    ) -> None:
        made = await create(persistence, Document, {"id": ANY_ID, "at": at})
        for found in (made, await read(persistence, Document, ANY_ID)):
            assert (found.at, found.at.tzinfo) == (at, dt.UTC)

    async def test_a_zero_has_no_sign(self, persistence: Persistence) -> None:
        """Not every store keeps it."""
        found = await create(persistence, Document, {"id": ANY_ID, "ratio": -0.0, "amount": Decimal("-0")})
        assert (str(found.ratio), str(found.amount)) == ("0.0", "0.0000")

    async def test_enum_values_are_taken_as_members_and_as_values(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            made = await unit.repository(Document).create({"id": ANY_ID, "status": "final", "priority": 10})
        assert (made.status, made.priority) == (Status.FINAL, Priority.HIGH)
        assert type(made.priority) is Priority

    @pytest.mark.parametrize("fault", MISFITS)
    async def test_a_value_that_does_not_fit_is_refused(self, persistence: Persistence, fault: str) -> None:
        """Not cut, rounded or coerced; the error has the path, and the unit of work goes on."""
        values = MISFITS[fault]
        async with persistence.begin() as unit:
            with pytest.raises(InvalidInput) as caught:
                await unit.repository(Document).create({"id": ANY_ID} | values)
            assert {error.path[0] for error in caught.value.errors} == set(values)
            assert await unit.repository(Document).get(ANY_ID) is None
            await unit.repository(Document).create({"id": ANY_ID})
            with pytest.raises(InvalidInput):
                await unit.repository(Document).update(ANY_ID, values)
            await unit.commit()
        assert await read(persistence, Document, ANY_ID) == Document(id=ANY_ID)

    async def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(self, persistence: Persistence) -> None:
        """Left out in silence it would be a change that is lost."""
        async with persistence.begin() as unit:
            products = unit.repository(Product)
            made = await products.create(pen())
            for work in (
                products.create({"sku": "ink", "name": "Ink", "price": Decimal(1), "stok": 5}),
                products.update(made.id, {"stok": 5}),
                products.create_many([{"sku": "ink", "name": "Ink", "price": Decimal(1), "stok": 5}]),
            ):
                with pytest.raises(InvalidInput, match=r"stok: is no stored field; did you mean 'stock'\?"):
                    await work

    async def test_all_faults_are_reported_together(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            with pytest.raises(InvalidInput) as caught:
                await unit.repository(Product).create({"sku": "\ud800", "name": "nul\x00", "stock": 2**63})
        found = {error.path: error.code for error in caught.value.errors}
        assert found == {("sku",): "invalid", ("name",): "invalid", ("price",): "required", ("stock",): "invalid"}

    async def test_a_taken_unique_value_is_a_conflict_that_names_the_field(self, persistence: Persistence) -> None:
        await create(persistence, Product, pen())
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Product).create(pen())
        assert caught.value.fields == ("sku",)

    async def test_a_taken_key_is_a_conflict_that_names_its_fields(self, persistence: Persistence) -> None:
        await create(persistence, Flight, {"day": dt.date(2013, 1, 1), "number": 1})
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Flight).create({"day": dt.date(2013, 1, 1), "number": 1})
        assert caught.value.fields == ("day", "number")

    async def test_a_missing_referenced_row_is_a_conflict_that_names_the_field(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Flight).create({"day": dt.date(2013, 1, 1), "number": 1, "airline": "XX"})
        assert caught.value.fields == ("airline",)

    async def test_a_row_that_others_refer_to_is_not_deleted(self, persistence: Persistence) -> None:
        await create(persistence, Airline, Airline(code="UA", name="United"))
        await create(persistence, Flight, {"day": dt.date(2013, 1, 1), "number": 1, "airline": "UA"})
        async with persistence.begin() as unit:
            with pytest.raises(Conflict, match="contract_flights"):
                await unit.repository(Airline).delete("UA")
        async with persistence.begin() as unit:
            assert await unit.repository(Flight).delete((dt.date(2013, 1, 1), 1))
            assert await unit.repository(Airline).delete("UA")
            await unit.commit()
        assert await read(persistence, Airline, "UA") is None

    async def test_an_update_changes_what_is_named_and_nothing_else(
        self, persistence: Persistence, clock: FakeClock
    ) -> None:
        made = await create(persistence, Product, {"sku": "pen", "name": "Pen", "price": Decimal(1), "tags": ["a"]})
        later = clock.advance(60)
        async with persistence.begin() as unit:
            changed: Any = await unit.repository(Product).update(made.id, PatchProduct(stock=5))
            await unit.commit()
        assert (changed.stock, times(changed)) == (5, (START, later))
        assert attrs.evolve(changed, stock=0, updated_at=START) == made
        assert await read(persistence, Product, made.id) == changed

    async def test_an_entity_that_was_changed_can_be_the_changes(self, persistence: Persistence) -> None:
        made = await create(persistence, Product, pen())
        async with persistence.begin() as unit:
            changed = await unit.repository(Product).update(made.id, attrs.evolve(made, name="Pencil"))
        assert changed == attrs.evolve(made, name="Pencil")

    async def test_an_update_without_changes_gives_the_row(self, persistence: Persistence) -> None:
        made = await create(persistence, Airline, Airline(code="UA", name="United"))
        async with persistence.begin() as unit:
            assert await unit.repository(Airline).update("UA", {}) == made
            assert await unit.repository(Airline).update("XX", {}) is None

    async def test_an_update_or_delete_of_no_row_says_so(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            assert await unit.repository(Product).update(99, {"stock": 1}) is None
            assert await unit.repository(Product).delete(99) is False
            assert await unit.repository(Product).get(99) is None

    async def test_an_update_never_changes_the_key(self, persistence: Persistence) -> None:
        made = await create(persistence, Product, pen())
        async with persistence.begin() as unit:
            with pytest.raises(InvalidInput, match="part of the key"):
                await unit.repository(Product).update(made.id, {"id": made.id + 1})

    async def test_an_update_keeps_constraints(self, persistence: Persistence) -> None:
        await create(persistence, Product, pen())
        other = await create(persistence, Product, pen("ink"))
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Product).update(other.id, {"sku": "pen"})
        assert caught.value.fields == ("sku",)
        async with persistence.begin() as unit:
            assert await unit.repository(Product).update(other.id, {"sku": "ink"}) == other

    async def test_a_composite_key_is_a_tuple(self, persistence: Persistence) -> None:
        made = await create(persistence, Flight, Flight(day=dt.date(2013, 1, 1), number=15, delay=-3))
        async with persistence.begin() as unit:
            flights = unit.repository(Flight)
            assert await flights.get((dt.date(2013, 1, 1), 15)) == made
            changed = await flights.update((dt.date(2013, 1, 1), 15), {"delay": None, "number": 15})
            assert changed == attrs.evolve(made, delay=None)
            for wrong in (15, (15,), (15, dt.date(2013, 1, 1))):
                with pytest.raises(InvalidInput):
                    await flights.get(wrong)

    async def test_a_class_that_does_not_know_loom_is_an_entity(self, persistence: Persistence) -> None:
        """Its constructor and validators run; its defaults hold."""
        made = await create(persistence, Shelf, {"code": "A-1"})
        assert made == Shelf("A-1", 10)
        assert await read(persistence, Shelf, "A-1") == made

    async def test_many_rows_are_created_in_one_go(self, persistence: Persistence) -> None:
        """Mappings and objects alike; the count is the store's."""
        mappings = [{"day": dt.date(2013, 1, 1), "number": number, "delay": number % 7} for number in range(1500)]
        objects = [Flight(day=dt.date(2013, 1, 2), number=number) for number in range(500)]
        async with persistence.begin() as unit:
            assert await unit.repository(Flight).create_many([*mappings, *objects]) == 2000
            assert await unit.repository(Flight).create_many([]) == 0
            await unit.commit()
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Flight).count() == 2000
        found = await read(persistence, Flight, (dt.date(2013, 1, 1), 1499))
        assert found == Flight(day=dt.date(2013, 1, 1), number=1499, delay=1)

    async def test_of_many_rows_all_are_created_or_none(self, persistence: Persistence) -> None:
        rows = [Airline(code=code, name=str(number)) for number, code in enumerate(("A", "B", "A"))]
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Airline).create_many(rows)
        assert caught.value.fields == ("code",)
        async with persistence.begin() as unit:
            with pytest.raises(InvalidInput):
                await unit.repository(Airline).create_many([Airline(code="A", name="A"), {"code": "B"}])
            await unit.commit()
        assert await read(persistence, Airline, "A") is None

    async def test_numbers_go_on_behind_those_that_were_given(self, persistence: Persistence) -> None:
        """Rows that bring their numbers along (a restored copy) do not get in the way of new ones."""
        async with persistence.begin() as unit:
            products = unit.repository(Product)
            await products.create({"id": 3, "sku": "a", "name": "A", "price": Decimal(1)})
            await products.create_many([{"id": 7, "sku": "b", "name": "B", "price": Decimal(1)}, pen()])
            later = await products.create(pen("ink"))
            await unit.commit()
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Product).count() == 4
        assert later.id > 7

    async def test_an_answer_is_not_the_stored_row(self, persistence: Persistence) -> None:
        """Changing what was given in or got back changes nothing that is stored."""
        tags = ["a"]
        made = await create(persistence, Product, {"sku": "s", "name": "n", "price": Decimal(1), "tags": tags})
        tags.append("b")
        made.tags.append("c")
        made.stock = 99
        found = await read(persistence, Product, made.id)
        assert found is not None
        assert (found.tags, found.stock) == (["a"], 0)


async def create(persistence: Persistence, model: type[Any], values: object) -> Any:
    """Create one row in a unit of work of its own."""
    async with persistence.begin() as unit:
        made = await unit.repository(model).create(values)
        await unit.commit()
    return made


async def read(persistence: Persistence, model: type[Any], key: object) -> Any:
    """Read one row in a unit of work of its own."""
    async with persistence.begin(read_only=True) as unit:
        return await unit.repository(model).get(key)


def times(product: Product) -> tuple[object, ...]:
    """The fields that the decorator added."""
    return tuple(getattr(product, name) for name in TIMESTAMPS)
