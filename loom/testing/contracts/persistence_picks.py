"""What every repository must do where some columns are asked for alone."""

from __future__ import annotations

import datetime as dt

import pytest

from loom.domain.errors import InvalidInput
from loom.domain.expr import col
from loom.domain.query import Query, Sort
from loom.ports.persistence import Persistence
from loom.testing.contracts.persistence_models import EVERY_KIND, Document, Flight, PersistenceSuite, Status
from loom.testing.contracts.persistence_repository import create

DAY = dt.date(2013, 1, 1)


@pytest.mark.asyncio
class PickContract(PersistenceSuite):
    """The contract of ``Reader.pick`` and ``Reader.pick_one``."""

    async def test_the_key_comes_with_what_was_asked_for_and_nothing_else(self, persistence: Persistence) -> None:
        await create(persistence, Flight, Flight(day=DAY, number=7, origin="EWR", delay=3))
        async with persistence.begin(read_only=True) as unit:
            page = await unit.repository(Flight).pick(Query(), ["origin"])
            row = await unit.repository(Flight).pick_one((DAY, 7), ["delay", "number"])
            assert await unit.repository(Flight).pick_one((DAY, 8), ["delay"]) is None
        assert [list(each.items()) for each in page.items] == [[("day", DAY), ("number", 7), ("origin", "EWR")]]
        assert row == {"day": DAY, "number": 7, "delay": 3}

    async def test_values_are_those_of_the_entity(self, persistence: Persistence) -> None:
        await create(persistence, Document, EVERY_KIND)
        names = ["status", "priority", "amount", "at", "took", "body", "meta", "scores", "address", "grade"]
        async with persistence.begin(read_only=True) as unit:
            row = await unit.repository(Document).pick_one(EVERY_KIND.id, names)
        assert row == {name: getattr(EVERY_KIND, name) for name in ["id", *names]}
        assert row is not None
        assert row["status"] is Status.FINAL

    async def test_it_is_filtered_sorted_and_paged_as_a_list_is(self, persistence: Persistence) -> None:
        for number in range(5):
            await create(persistence, Flight, Flight(day=DAY, number=number, delay=-number, origin="EWR"))
        query = Query(where=col("number") > 0, sort=(Sort("delay"),), limit=3, total=True)
        async with persistence.begin(read_only=True) as unit:
            flights = unit.repository(Flight)
            page, same = await flights.pick(query, ["origin"]), await flights.list(query)
            rest = await flights.pick(Query(where=query.where, sort=query.sort, after=page.after), ["origin"])
        assert [row["number"] for row in page.items] == [4, 3, 2]
        assert (page.after, page.total) == (same.after, 4)
        assert set(page.items[0]) == {"day", "number", "origin"}
        assert ([row["number"] for row in rest.items], rest.after) == ([1], None)

    async def test_columns_that_do_not_exist_are_told(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            with pytest.raises(InvalidInput, match="did you mean 'origin'") as caught:
                await unit.repository(Flight).pick(Query(), ["orign", "x"])
        assert len(caught.value.errors) == 2
