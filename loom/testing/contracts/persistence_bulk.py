"""What every repository must do with many rows that are wanted back: all of them in their order, or none."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from loom.domain.errors import Conflict, InvalidInput, ScopeClosed
from loom.ports.persistence import Persistence
from loom.testing.contracts.persistence_models import Airline, Document, Flight, PersistenceSuite, Product
from loom.testing.contracts.persistence_repository import pen, read

DAY = dt.date(2013, 1, 1)


@pytest.mark.asyncio
class BulkContract(PersistenceSuite):
    """The contract of ``Writer.create_all``."""

    async def test_new_rows_come_back_as_stored_and_in_their_order(self, persistence: Persistence) -> None:
        skus = [f"s{number}" for number in reversed(range(150))]
        async with persistence.begin() as unit:
            made = await unit.repository(Product).create_all([pen(sku) for sku in skus])
            await unit.commit()
        assert [each.sku for each in made] == skus
        assert [each.id for each in made] == sorted({each.id for each in made})
        assert (str(made[0].price), made[0].stock, made[0].tags) == ("1.50", 0, [])
        assert await read(persistence, Product, made[77].id) == made[77]

    async def test_rows_that_bring_their_keys_come_back_in_their_order(self, persistence: Persistence) -> None:
        documents = [Document(id=uuid.uuid4(), ratio=float(number)) for number in range(20)]
        flights = [Flight(day=DAY, number=number) for number in (7, 3, 5)]
        async with persistence.begin() as unit:
            assert await unit.repository(Document).create_all(documents) == documents
            assert await unit.repository(Flight).create_all(flights) == flights
            await unit.commit()

    async def test_some_bring_their_keys_and_others_are_counted(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            products = unit.repository(Product)
            rows = [
                {"sku": f"s{number}", "name": "x", "price": Decimal(1)} | ({"id": number} if number % 2 else {})
                for number in range(1_000, 1_010)
            ]
            made = await products.create_all(rows)
            later = await products.create(pen("later"))
            await unit.commit()
        assert [each.sku for each in made] == [f"s{number}" for number in range(1_000, 1_010)]
        assert [each.id for each in made][1::2] == [1_001, 1_003, 1_005, 1_007, 1_009]
        assert later.id > max(each.id for each in made)

    async def test_no_rows_are_no_rows(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            assert list(await unit.repository(Product).create_all([])) == []

    async def test_every_fault_of_every_row_is_told_at_once(self, persistence: Persistence) -> None:
        """And the unit of work goes on: nothing has been sent."""
        wrong = [pen(), {"sku": "x" * 17, "name": "x"}, pen("b"), {"sku": "c", "name": "x", "price": Decimal("1.234")}]
        async with persistence.begin() as unit:
            with pytest.raises(InvalidInput) as caught:
                await unit.repository(Product).create_all(wrong)
            assert [error.path for error in caught.value.errors] == [(1, "sku"), (1, "price"), (3, "price")]
            assert await unit.repository(Product).count() == 0

    async def test_one_that_conflicts_keeps_all_from_being_made(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Product).create_all([pen("a"), pen("b"), pen("a")])
        assert caught.value.fields == ("sku",)
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Flight).create_all([Flight(day=DAY, number=1, airline="XX")])
        assert caught.value.fields == ("airline",)
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Product).count() == 0
            with pytest.raises(ScopeClosed, match="read-only"):
                await unit.repository(Airline).create_all([])
