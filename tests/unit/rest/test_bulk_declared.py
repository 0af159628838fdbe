"""What an interface declares about lists: misuse is told, and lists of one's own are bounded too."""

from __future__ import annotations

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.application.compile import Issues
from loom.application.rest.auto import auto_crud
from loom.application.rest.compile import compile_interface
from loom.application.usecase.executor import Executor
from loom.core import Input, InvalidInput, UseCase
from loom.rest import RestInterface, RestRoute
from loom.testing.clock import FakeClock
from tests.unit.rest.rest_shop import NothingBound, Product, Restock, compiled


class RestockAll(UseCase[None, int]):
    """Count pieces."""

    async def execute(self, cmd: list[Restock] = Input()) -> int:
        return sum(each.pieces for each in cmd)


def issues_of(cls: type[RestInterface[Product]]) -> list[str]:
    issues = Issues()
    assert compile_interface(cls, issues, NothingBound()) is None
    return [f"{issue.code} {issue.message} | {issue.remedy}" for issue in issues.found]


def test_an_unknown_bulk_operation_is_told_with_the_near_one() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/products"
        auto = True
        bulk = ("creat",)

    assert issues_of(Wrong) == ["LOOM-REST-004 Wrong.bulk: operation 'creat' does not exist | did you mean 'create'?"]


def test_what_is_generated_needs_auto() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/products"
        export = True
        bulk = ("create",)
        routes = (RestRoute(use_case=RestockAll, method="POST"),)

    assert [told.partition(" | ")[0] for told in issues_of(Wrong)] == [
        "LOOM-REST-004 bulk has no effect without auto",
        "LOOM-REST-004 export has no effect without auto",
    ]


def test_a_list_of_ones_own_is_bounded_by_the_interface() -> None:
    class Restocks(RestInterface[None]):
        prefix = "/restocks"
        bulk_size = 7
        routes = (RestRoute(use_case=RestockAll, method="POST"),)

    (route,) = compiled([Restocks])[0].routes
    assert (route.command, route.most_items) == (list[Restock], 7)


async def test_a_use_case_takes_a_list_of_commands() -> None:
    codec, clock = JsonCodec(), FakeClock()
    store = MemoryPersistence(codec=codec, clock=clock)
    executor = Executor(persistence=store, resolver=NothingBound(), codec=codec, clock=clock)
    assert await executor.invoke(RestockAll, [Restock(pieces=2), Restock(pieces=3)]) == 5
    with pytest.raises(InvalidInput, match="RestockAll takes a list"):
        await executor.invoke(RestockAll, Restock(pieces=2))


def test_the_generated_ones_are_made_once() -> None:
    assert auto_crud(Product).bulk is auto_crud(Product).bulk
    assert auto_crud(Product).bulk.update.__name__ == "UpdateManyProduct"
