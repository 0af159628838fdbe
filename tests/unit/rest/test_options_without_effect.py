"""Options of an interface that none of its routes looks at: they are issues, since no client could use them."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.core import Page, Query, UseCase, entity, key, relation
from loom.rest import RestInterface, RestRoute, auto_crud
from tests.unit.rest.rest_shop import NothingBound


@entity(table="ow_rooms", profiles={"with_next": ("next",)})
class OwRoom:
    id: int = key(autoincrement=True)
    next_id: int | None = None
    next: OwRoom | None = relation(foreign_key="next_id")


class ListRooms(UseCase[OwRoom, Page[OwRoom]]):
    async def execute(self, query: Query) -> Page[OwRoom]:
        return await self.main_repo.list(query)


class Options(RestInterface[OwRoom]):
    prefix = "/rooms"
    fields = ("next_id",)
    filters = ("next_id",)
    sorts = ("id",)
    profiles = ("with_next",)


def unused(interface: type[RestInterface[Any]]) -> list[str]:
    issues = Issues()
    compile_interface(interface, issues, NothingBound())
    assert {issue.code for issue in issues.found} <= {"LOOM-REST-072"}
    return [issue.message.partition(" has no effect")[0].rpartition(".")[2] for issue in issues.found]


def test_a_create_alone_reads_nothing() -> None:
    class Creates(Options):
        auto = True
        include = ("create",)

    assert unused(Creates) == ["fields", "filters", "sorts", "profiles"]


def test_a_get_takes_fields_and_profiles() -> None:
    class Gets(Options):
        auto = True
        include = ("get",)

    assert unused(Gets) == ["filters", "sorts"]


def test_a_list_of_ones_own_takes_all_but_fields() -> None:
    class Lists(Options):
        routes: ClassVar[Any] = (RestRoute(use_case=ListRooms, method="GET"),)

    assert unused(Lists) == ["fields"]


def test_a_generated_list_takes_all_of_them_wherever_it_stands() -> None:
    class Reuses(Options):
        routes: ClassVar[Any] = (RestRoute(use_case=auto_crud(OwRoom).list, method="GET", path="/all"),)

    assert unused(Reuses) == []
