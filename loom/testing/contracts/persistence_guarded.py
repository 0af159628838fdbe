"""What every store must do with versions, soft deletion, named checks and uniqueness over several columns."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from loom.domain.errors import CheckFailed, Conflict, InvalidInput, PreconditionFailed, ScopeFailed
from loom.domain.expr import col
from loom.domain.query import Query
from loom.ports.persistence import Persistence, Repository, UnitOfWork
from loom.testing.clock import START, FakeClock
from loom.testing.contracts.persistence_guarded_models import Ledger, Member, Offer, Size, Ticket
from loom.testing.contracts.persistence_models import Airline, PersistenceSuite
from loom.testing.contracts.persistence_repository import create, read

WRITERS = 200

BROKEN: dict[str, tuple[dict[str, Any], str, set[str]]] = {
    "a number": ({"price": Decimal(0)}, "price_positive", {"price"}),
    "text by pattern": ({"name": " x"}, "name_not_blank", {"name"}),
    "two columns": ({"starts": START, "ends": START}, "ends_after_start", {"ends", "starts"}),
    "an enum with a decimal": ({"size": Size.LARGE, "price": Decimal("9.49")}, "large_is_dear", {"size", "price"}),
    "text with quotes": ({"name": "it's"}, "not_quoted", {"name"}),
    "an instant": ({"starts": dt.datetime(1999, 12, 31, tzinfo=dt.UTC)}, "this_century", {"starts"}),
    "a duration": ({"took": dt.timedelta(hours=5)}, "whole_hours", {"took"}),
    "the first by name of several": ({"price": Decimal(-1), "name": ""}, "name_not_blank", {"name"}),
}


@pytest.mark.asyncio
class VersionContract(PersistenceSuite):
    """The contract of ``expected_version``."""

    async def test_a_version_starts_at_one_and_counts_every_update(self, persistence: Persistence) -> None:
        """Whatever is given for it; an update that names nothing counts as well."""
        made = await create(persistence, Ticket, Ticket(id=1, title="a", version=7))
        assert made.version == 1
        async with persistence.begin() as unit:
            tickets = unit.repository(Ticket)
            assert (await changed(unit, made.id, {"title": "b", "version": 9})).version == 2
            assert (await changed(unit, made.id, {})).version == 3
            assert await tickets.create_many([{"title": "c"}, Ticket(id=5, title="d", version=4)]) == 2
            await unit.commit()
        assert (await read(persistence, Ticket, 5)).version == 1
        assert (await read(persistence, Ticket, made.id)) == Ticket(id=made.id, title="b", version=3)

    async def test_a_version_may_be_a_field_that_was_there_before(self, persistence: Persistence) -> None:
        made = await create(persistence, Ledger, {"name": "cash", "balance": 5})
        async with persistence.begin() as unit:
            assert await unit.repository(Ledger).update("cash", {"balance": 6}, expected_version=1)
            await unit.commit()
        assert (made, await read(persistence, Ledger, "cash")) == (Ledger("cash", 5, 1), Ledger("cash", 6, 2))

    async def test_another_version_than_the_expected_one_changes_nothing(self, persistence: Persistence) -> None:
        made = await create(persistence, Ticket, {"title": "a"})
        for expected in (0, 2, 2**40):
            async with persistence.begin() as unit:
                with pytest.raises(PreconditionFailed, match="contract_tickets"):
                    await unit.repository(Ticket).update(made.id, {"title": "b"}, expected_version=expected)
                with pytest.raises(ScopeFailed):
                    await unit.repository(Ticket).get(made.id)
            async with persistence.begin() as unit:
                with pytest.raises(PreconditionFailed):
                    await unit.repository(Ticket).delete(made.id, expected_version=expected)
        assert await read(persistence, Ticket, made.id) == made

    async def test_the_expected_version_is_changed_and_deleted(self, persistence: Persistence) -> None:
        made = await create(persistence, Ticket, {"title": "a"})
        async with persistence.begin() as unit:
            tickets = unit.repository(Ticket)
            second = await tickets.update(made.id, {"title": "b"}, expected_version=1)
            assert second is not None
            third = await tickets.update(made.id, {"title": "c"}, expected_version=second.version)
            assert third == Ticket(id=made.id, title="c", version=3)
            assert await tickets.delete(made.id, expected_version=3)
            await unit.commit()
        assert await read(persistence, Ticket, made.id) is None

    async def test_a_row_that_is_not_there_has_no_version_to_differ(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            assert await unit.repository(Ticket).update(9, {"title": "b"}, expected_version=1) is None
            assert await unit.repository(Ticket).delete(9, expected_version=1) is False

    async def test_a_model_without_version_takes_no_expectation(self, persistence: Persistence) -> None:
        await create(persistence, Airline, Airline(code="UA", name="United"))
        async with persistence.begin() as unit:
            with pytest.raises(InvalidInput, match="keeps no version"):
                await unit.repository(Airline).update("UA", {"name": "U"}, expected_version=1)
            with pytest.raises(InvalidInput, match="keeps no version"):
                await unit.repository(Airline).delete("UA", expected_version=1)

    async def test_of_units_that_expect_the_same_version_all_but_one_are_told(self, persistence: Persistence) -> None:
        """At their update or at their commit: that the version is another one now, rather than to try again."""
        made = await create(persistence, Ticket, {"title": "a"})

        async def write(title: str) -> str:
            try:
                async with persistence.begin() as unit:
                    await unit.repository(Ticket).get(made.id)
                    await asyncio.sleep(0)
                    await unit.repository(Ticket).update(made.id, {"title": title}, expected_version=1)
                    await unit.commit()
            except PreconditionFailed:
                return ""
            return title

        titles = sorted(await asyncio.gather(*(write(title) for title in "bcdefgh")))
        assert titles[:-1] == [""] * 6
        assert await read(persistence, Ticket, made.id) == Ticket(id=made.id, title=titles[-1], version=2)

    async def test_of_many_writers_exactly_one_makes_each_version(self, persistence: Persistence) -> None:
        """Each reads, expects what it read, and tries again while others were first: no update is lost."""
        made = await create(persistence, Ticket, {"title": "0"})
        won: list[int] = []
        places = asyncio.Semaphore(8)

        async def write(number: int) -> None:
            while True:
                async with places:
                    seen = await read(persistence, Ticket, made.id)
                    try:
                        async with persistence.begin() as unit:
                            change = {"title": str(number)}
                            row = await unit.repository(Ticket).update(made.id, change, expected_version=seen.version)
                            await unit.commit()
                    except PreconditionFailed:
                        continue
                    assert row is not None
                    won.append(row.version)
                    return

        await asyncio.gather(*(write(number) for number in range(WRITERS)))
        assert sorted(won) == list(range(2, WRITERS + 2))
        assert (await read(persistence, Ticket, made.id)).version == WRITERS + 1


@pytest.mark.asyncio
class SoftDeleteContract(PersistenceSuite):
    """The contract of ``soft_delete``."""

    async def test_a_deleted_row_is_gone_for_every_reader(self, persistence: Persistence) -> None:
        await members(persistence, "a", "b", "c")
        async with persistence.begin() as unit:
            assert await unit.repository(Member).delete("b")
            await unit.commit()
        async with persistence.begin(read_only=True) as unit:
            rows = unit.repository(Member)
            assert await rows.get("b") is None
            assert await rows.find(col("code") == "b") is None
            assert not await rows.exists(col("code") == "b")
            assert await rows.count() == 2
            assert await rows.count((col("code") == "b") | (col("code") == "c")) == 1
            page = await rows.list(Query(limit=1, total=True))
            assert ([each.code for each in page.items], page.total) == (["a"], 2)
            rest = await rows.list(Query(limit=1, after=page.after))
            assert ([each.code for each in rest.items], rest.after) == (["c"], None)
            assert [each.code async for each in rows.stream(Query(limit=None))] == ["a", "c"]

    async def test_a_deleted_row_is_gone_for_every_writer(self, persistence: Persistence) -> None:
        """It cannot be changed, deleted once more, or created again under its key."""
        await members(persistence, "a")
        async with persistence.begin() as unit:
            rows = unit.repository(Member)
            assert await rows.delete("a", expected_version=1)
            assert await rows.update("a", {"club": "go"}) is None
            assert await rows.update("a", {}, expected_version=1) is None
            assert await rows.delete("a") is False
            await unit.commit()
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Member).create({"code": "a", "email": "new"})
        assert caught.value.fields == ("code",)

    async def test_the_mark_cannot_be_given(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            rows = unit.repository(Member)
            made: Any = await rows.create({"code": "a", "email": "a", "deleted_at": START, "revision": 5})
            changed: Any = await rows.update("a", {"deleted_at": START, "revision": 5})
            await unit.commit()
        assert (made.deleted_at, made.revision, changed.deleted_at, changed.revision) == (None, 1, None, 2)
        assert await read(persistence, Member, "a") == changed

    async def test_unique_values_of_deleted_rows_are_free_again(self, persistence: Persistence) -> None:
        """Those of one column, of several, and of some rows only."""
        seats: dict[str, Any] = {"email": "a", "seat": 1, "president": True}
        await create(persistence, Member, {"code": "a"} | seats)
        taken: dict[str, dict[str, Any]] = {"email": {"email": "a"}, "seat": {"seat": 1}, "club": {"president": True}}
        for field, values in taken.items():
            async with persistence.begin() as unit:
                with pytest.raises(Conflict) as caught:
                    await unit.repository(Member).create({"code": "b", "email": "b"} | values)
            assert field in caught.value.fields
        async with persistence.begin() as unit:
            assert await unit.repository(Member).delete("a")
            await unit.commit()
        await create(persistence, Member, {"code": "b"} | seats)
        async with persistence.begin() as unit:
            assert await unit.repository(Member).find(col("email") == "a") is not None
            assert await unit.repository(Member).count() == 1

    async def test_references_to_deleted_rows_stay(self, persistence: Persistence) -> None:
        """A deleted row keeps its place, so whatever refers to it stays whole."""
        await members(persistence, "a")
        await create(persistence, Member, {"code": "b", "email": "b", "sponsor": "a"})
        async with persistence.begin() as unit:
            assert await unit.repository(Member).delete("a")
            await unit.commit()
        assert (await read(persistence, Member, "b")).sponsor == "a"

    async def test_times_and_versions_of_a_row_are_kept_together(
        self, persistence: Persistence, clock: FakeClock
    ) -> None:
        made: Any = await create(persistence, Member, {"code": "a", "email": "a"})
        later = clock.advance(5)
        async with persistence.begin() as unit:
            row: Any = await unit.repository(Member).update("a", {"seat": 3}, expected_version=1)
            await unit.commit()
        assert (made.created_at, made.updated_at, made.revision) == (START, START, 1)
        assert (row.created_at, row.updated_at, row.revision, row.deleted_at) == (START, later, 2, None)


@pytest.mark.asyncio
class ConstraintContract(PersistenceSuite):
    """The contract of named checks and of uniqueness over several columns."""

    @pytest.mark.parametrize("case", BROKEN)
    async def test_a_row_that_breaks_a_check_is_refused(self, persistence: Persistence, case: str) -> None:
        """At creation, among many, and at an update; the error has the name and the columns, and dooms the unit."""
        values, name, columns = BROKEN[case]
        good = {"price": Decimal(1)}
        made = await create(persistence, Offer, good)
        writes: list[Callable[[Repository[Offer]], Awaitable[object]]] = [
            lambda offers: offers.create(good | values),
            lambda offers: offers.create_many([good, good | values]),
            lambda offers: offers.update(made.id, values),
        ]
        for write in writes:
            async with persistence.begin() as unit:
                with pytest.raises(CheckFailed) as caught:
                    await write(unit.repository(Offer))
                assert (caught.value.check, set(caught.value.fields)) == (name, columns)
                assert {error.path[0] for error in caught.value.errors} == columns
                with pytest.raises(ScopeFailed):
                    await unit.repository(Offer).count()
        async with persistence.begin() as unit:
            assert await unit.repository(Offer).count() == 1

    async def test_what_is_null_breaks_no_check(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            offers = unit.repository(Offer)
            await offers.create({"price": Decimal(1), "starts": START})
            made = await offers.create({"price": Decimal("9.50"), "size": Size.LARGE, "starts": START})
            assert await offers.update(made.id, {"ends": START + dt.timedelta(1), "took": dt.timedelta(hours=4)})
            await unit.commit()
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Offer).count() == 2

    async def test_columns_may_be_unique_together(self, persistence: Persistence) -> None:
        """Rows with null in one of them are equal to no other."""
        await create(persistence, Member, {"code": "a", "email": "a", "club": "go", "seat": 1})
        async with persistence.begin() as unit:
            rows = unit.repository(Member)
            await rows.create({"code": "b", "email": "b", "club": "go", "seat": 2})
            await rows.create({"code": "c", "email": "c", "club": "go"})
            await rows.create({"code": "d", "email": "d", "club": "go"})
            await rows.create({"code": "e", "email": "e", "club": "chess", "seat": 1})
            await unit.commit()
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Member).update("b", {"seat": 1})
        assert caught.value.fields == ("club", "seat")

    async def test_columns_may_be_unique_among_some_rows(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            rows = unit.repository(Member)
            await rows.create({"code": "a", "email": "a", "president": True})
            await rows.create({"code": "b", "email": "b"})
            await rows.create({"code": "c", "email": "c"})
            assert await rows.update("a", {"president": False})
            assert await rows.update("b", {"president": True})
            await unit.commit()
        async with persistence.begin() as unit:
            with pytest.raises(Conflict) as caught:
                await unit.repository(Member).update("c", {"president": True})
        assert caught.value.fields == ("club",)


async def members(persistence: Persistence, *codes: str) -> None:
    """Create members of these codes."""
    async with persistence.begin() as unit:
        await unit.repository(Member).create_many([{"code": code, "email": code} for code in codes])
        await unit.commit()


async def changed(unit: UnitOfWork, key: int, changes: dict[str, Any]) -> Any:
    """Update a ticket that exists."""
    row = await unit.repository(Ticket).update(key, changes)
    assert row is not None
    return row
