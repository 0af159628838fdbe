"""What every unit of work must do: all or nothing, seen by nobody before, and no update lost."""

from __future__ import annotations

import asyncio
import datetime as dt

import attrs
import pytest

from loom.domain.errors import ConfigError, Conflict, ScopeClosed, ScopeFailed
from loom.domain.query import Query
from loom.ports.persistence import Persistence
from loom.testing.contracts.persistence_models import Airline, Flight, PersistenceSuite, Product
from loom.testing.contracts.persistence_repository import create, pen, read

DAY = dt.date(2013, 1, 1)
UNITED = Airline(code="UA", name="United")


@attrs.define
class Stranger:
    """A model that no store was started with."""

    id: int


@pytest.mark.asyncio
class UnitOfWorkContract(PersistenceSuite):
    """The contract of ``UnitOfWork`` and ``Persistence.begin``."""

    async def test_without_commit_nothing_is_kept(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            await unit.repository(Airline).create(UNITED)
        assert await read(persistence, Airline, "UA") is None

    async def test_an_error_rolls_back(self, persistence: Persistence) -> None:
        async def fail() -> None:
            async with persistence.begin() as unit:
                await unit.repository(Airline).create(UNITED)
                raise RuntimeError("the reason")

        with pytest.raises(RuntimeError, match="the reason"):
            await fail()
        assert await read(persistence, Airline, "UA") is None

    async def test_a_unit_reads_what_it_wrote_and_others_do_not(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            airlines = unit.repository(Airline)
            await airlines.create(UNITED)
            await airlines.update("UA", {"name": "United Air"})
            assert await airlines.get("UA") == Airline(code="UA", name="United Air")
            assert (await airlines.list(Query())).items == (Airline(code="UA", name="United Air"),)
            assert await read(persistence, Airline, "UA") is None
            await unit.commit()
        assert await read(persistence, Airline, "UA") == Airline(code="UA", name="United Air")

    async def test_a_value_that_was_given_up_can_be_taken(self, persistence: Persistence) -> None:
        await create(persistence, Airline, UNITED)
        async with persistence.begin() as unit:
            airlines = unit.repository(Airline)
            await airlines.update("UA", {"name": "Old"})
            await airlines.create(Airline(code="NEW", name="United"))
            await airlines.delete("UA")
            await airlines.create(Airline(code="UA", name="Again"))
            await unit.commit()
        assert await read(persistence, Airline, "NEW") == Airline(code="NEW", name="United")
        assert await read(persistence, Airline, "UA") == Airline(code="UA", name="Again")

    async def test_a_statement_that_failed_dooms_the_unit(self, persistence: Persistence) -> None:
        """Also where the error was caught: nothing more is done, and nothing is kept."""
        await create(persistence, Product, pen())
        async with persistence.begin() as unit:
            await unit.repository(Airline).create(UNITED)
            with pytest.raises(Conflict):
                await unit.repository(Product).create(pen())
            with pytest.raises(ScopeFailed, match="sku"):
                await unit.repository(Airline).get("UA")
            with pytest.raises(ScopeFailed):
                await unit.commit()
        assert await read(persistence, Airline, "UA") is None

    async def test_after_commit_the_unit_has_ended(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            airlines = unit.repository(Airline)
            await airlines.create(UNITED)
            await unit.commit()
            for used in (airlines.get("UA"), airlines.create(UNITED), unit.commit(), unit.outbox.add([])):
                with pytest.raises(ScopeClosed):
                    await used
        with pytest.raises(ScopeClosed):
            unit.repository(Airline)
        assert await read(persistence, Airline, "UA") == UNITED

    async def test_outside_its_block_a_repository_is_closed(self, persistence: Persistence) -> None:
        for read_only in (True, False):
            async with persistence.begin(read_only=read_only) as unit:
                airlines = unit.repository(Airline)
            with pytest.raises(ScopeClosed):
                await airlines.get("UA")
            with pytest.raises(ScopeClosed):
                [each async for each in airlines.stream(Query())]

    async def test_a_read_only_unit_refuses_writes(self, persistence: Persistence) -> None:
        await create(persistence, Airline, UNITED)
        async with persistence.begin(read_only=True) as unit:
            airlines = unit.repository(Airline)
            for write in (
                airlines.create(UNITED),
                airlines.create_many([UNITED]),
                airlines.update("UA", {"name": "x"}),
                airlines.delete("UA"),
                unit.outbox.add([]),
            ):
                with pytest.raises(ScopeClosed, match="read-only"):
                    await write
            assert await airlines.get("UA") == UNITED
            await unit.commit()

    async def test_a_read_only_unit_sees_what_is_committed_meanwhile(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Airline).get("UA") is None
            await create(persistence, Airline, UNITED)
            assert await unit.repository(Airline).get("UA") == UNITED

    async def test_no_update_is_lost_between_concurrent_units(self, persistence: Persistence) -> None:
        """Reading and then writing a row: whoever comes second waits, or fails and can run again."""
        made = await create(persistence, Product, pen())

        async def sell() -> bool:
            try:
                async with persistence.begin() as unit:
                    products = unit.repository(Product)
                    product = await products.get(made.id)
                    assert product is not None
                    await asyncio.sleep(0)
                    await products.update(made.id, {"stock": product.stock + 1})
                    await unit.commit()
            except Conflict:
                return False
            return True

        kept = sum(await asyncio.gather(*(sell() for _ in range(8))))
        found = await read(persistence, Product, made.id)
        assert kept >= 1
        assert found.stock == kept

    async def test_constraints_hold_between_concurrent_units(self, persistence: Persistence) -> None:
        """Eight units take one unique value and one gets it; eight refer to a row while one deletes it."""

        async def take(number: int) -> bool:
            return await self._succeeds(persistence, Airline, Airline(code=str(number), name="same"))

        assert sum(await asyncio.gather(*(take(number) for number in range(8)))) == 1
        async with persistence.begin(read_only=True) as unit:
            (airline,) = (await unit.repository(Airline).list(Query())).items

        async def delete() -> bool:
            try:
                async with persistence.begin() as unit:
                    gone = await unit.repository(Airline).delete(airline.code)
                    await asyncio.sleep(0)
                    await unit.commit()
            except Conflict:
                return False
            return gone

        async def refer(number: int) -> bool:
            return await self._succeeds(persistence, Flight, Flight(day=DAY, number=number, airline=airline.code))

        gone, *referred = await asyncio.gather(delete(), *(refer(number) for number in range(8)))
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Flight).count() == sum(referred)
            assert await unit.repository(Airline).count() == (0 if gone else 1)
        assert not (gone and any(referred))

    async def test_one_unit_may_be_shared_by_tasks(self, persistence: Persistence) -> None:
        """The statements run one after the other; nobody has to know."""
        async with persistence.begin() as unit:
            products = unit.repository(Product)
            rows = [pen(f"s{number}") for number in range(10)]
            made = await asyncio.gather(*(products.create(row) for row in rows))
            found = await asyncio.gather(*(products.get(each.id) for each in made))
            assert found == made
            await unit.commit()

    async def test_a_model_that_is_not_known_is_named(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            with pytest.raises(ConfigError, match="Stranger is not among the models"):
                unit.repository(Stranger)

    @staticmethod
    async def _succeeds(persistence: Persistence, model: type, values: object) -> bool:
        try:
            async with persistence.begin() as unit:
                await unit.repository(model).create(values)
                await asyncio.sleep(0)
                await unit.commit()
        except Conflict:
            return False
        return True
