"""The test kit misused: a test that is wrong says so, and neither passes nor fails for another reason."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from loom.config.kernel import Kernel
from loom.core import Conflict, InvalidInput, UseCase, entity, field, key, relation
from loom.ports.persistence import Persistence
from loom.rest import RestInterface
from loom.testing import HttpTestHarness, MemoryStore, UseCaseTest
from tests.unit.testing.testing_shop import Colour


@entity(table="mk_rooms")
class MkRoom:
    id: int = key(autoincrement=True)
    name: str = field(max_length=10)


@entity(table="mk_desks")
class MkDesk:
    id: int = key(autoincrement=True)
    room_id: int
    colour: Colour = Colour.RED
    room: MkRoom = relation(foreign_key="room_id")


@entity(table="mk_lamps")
class MkLamp:
    id: int = key(autoincrement=True)
    desk_id: int = field(references="mk_desks.id")


class CountDesks(UseCase[MkDesk, int]):
    read_only = True

    async def execute(self, limit: int = 10) -> int:
        return min(limit, await self.main_repo.count())


class DeskInterface(RestInterface[MkDesk]):
    prefix = "/desks"
    auto = True
    filters = ("id", "colour")


ROOM, DESK, LAMP = MkRoom(id=1, name="west"), MkDesk(id=1, room_id=1), MkLamp(id=1, desk_id=1)


async def test_given_rows_may_stand_in_any_order() -> None:
    test = UseCaseTest(CountDesks, given=[LAMP, DESK, ROOM])
    assert await test.run() == 1
    await test.assert_stored(MkLamp, desk_id=1)


async def test_calls_beside_each_other_find_the_given_rows() -> None:
    test = UseCaseTest(CountDesks, given=[DESK, ROOM])
    first, second = await asyncio.gather(test.run(), test.run(params={"limit": 0}))
    assert (first, second) == (1, 0)


async def test_given_rows_that_cannot_be_stored_are_no_error_of_the_use_case() -> None:
    test = UseCaseTest(CountDesks, given=[DESK])
    for _ in range(2):
        with pytest.raises(AssertionError, match="the given rows cannot be stored: mk_desks: no row exists"):
            await test.fails(Conflict)


async def test_a_parameter_that_the_use_case_does_not_have_is_refused() -> None:
    test = UseCaseTest(CountDesks, given=[ROOM])
    with pytest.raises(InvalidInput, match="/limt: is no parameter of CountDesks; did you mean 'limit'"):
        await test.run(params={"limt": 1})


async def test_a_column_that_no_row_has_is_no_reason_to_pass() -> None:
    test = UseCaseTest(CountDesks, given=[ROOM])
    for asked in (test.assert_stored, test.assert_not_stored):
        with pytest.raises(AssertionError, match="MkRoom has no field 'nam'; did you mean 'name'"):
            await asked(MkRoom, nam="east")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: UseCaseTest(MkDesk), "is no UseCase class"),  # type: ignore[arg-type]
        (lambda: UseCaseTest(CountDesks()), "is no UseCase class"),  # type: ignore[arg-type]
        (lambda: UseCaseTest(CountDesks, given=[MkDesk]), "is no row of an entity"),
        (lambda: UseCaseTest(CountDesks, given=[{"id": 1}]), "is no row of an entity"),
        (lambda: UseCaseTest(CountDesks, services={"mailer": 1}), "is no type"),  # type: ignore[dict-item]
        (lambda: MemoryStore().faults.inject("get", "gone"), "cannot be raised"),  # type: ignore[arg-type]
        (lambda: MemoryStore().faults.inject("get", Conflict), "cannot be raised"),  # type: ignore[arg-type]
    ],
)
def test_what_is_of_the_wrong_kind_is_refused_where_it_is_written(made: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        made()


def test_no_failure_is_no_failure_to_inject() -> None:
    with pytest.raises(ValueError, match="0 calls are to fail"):
        MemoryStore().faults.inject("get", Conflict("gone"), times=0)


async def test_a_query_is_added_to_that_of_the_path_as_json_has_it() -> None:
    store = MemoryStore()
    await store.put(ROOM)
    kernel = Kernel.from_yaml(modules=[sys.modules[__name__]])
    async with HttpTestHarness(kernel, overrides={Persistence: store}) as http:
        for colour in ("red", "blue"):
            (await http.post("/desks", json={"room_id": 1, "colour": colour})).expect(201)
        for path, query in (("/desks?colour=red", {"id": 2}), ("/desks", {"colour": Colour.RED, "id": None})):
            found = (await http.get(path, query=query)).expect(200).json["items"]
            assert [row["id"] for row in found] == ([] if "?" in path else [1])
        both = await http.get("/desks", query={"colour.in": {Colour.RED, Colour.BLUE}})
        assert len(both.expect(200).json["items"]) == 2


async def test_a_misspelt_option_of_a_request_is_refused() -> None:
    wrong: Any = {"params": {"id": 1}}
    async with HttpTestHarness(Kernel.from_yaml(modules=[sys.modules[__name__]])) as http:
        with pytest.raises(TypeError, match="a request has no option params; it has json, content, query"):
            await http.get("/desks", **wrong)
