"""Parameters that a route would read twice: each is an issue, since one of them would never be given."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.core import ExpectedVersion, Header, Page, Query, UseCase, entity, key, relation
from loom.rest import Idempotency, Profile, RestInterface, RestRoute
from tests.unit.rest.rest_shop import NothingBound


@entity(table="dp_rooms", version=True, profiles={"with_next": ("next",)})
class DpRoom:
    id: int = key(autoincrement=True)
    next_id: int | None = None
    version: int = 1
    next: DpRoom | None = relation(foreign_key="next_id")


class ListRooms(UseCase[DpRoom, Page[DpRoom]]):
    async def execute(self, query: Query, profile: Profile = Profile("")) -> Page[DpRoom]:
        return await self.main_repo.list(query)


class Paint(UseCase[DpRoom, None]):
    async def execute(
        self,
        once: str = Header("idempotency-key"),
        match: str = Header("If-Match"),
        expected: int | None = ExpectedVersion(),
    ) -> None:
        return None


class Sweep(UseCase[DpRoom, None]):
    async def execute(self, once: str = Header("Idempotency-Key")) -> None:
        return None


def told(interface: type[RestInterface[Any]]) -> list[str]:
    issues = Issues()
    compile_interface(interface, issues, NothingBound())
    return [f"{issue.code} {issue.message}" for issue in issues.found]


def test_a_list_reads_its_profile_from_the_query() -> None:
    class Rooms(RestInterface[DpRoom]):
        prefix = "/rooms"
        profiles = ("with_next",)
        routes: ClassVar[Any] = (RestRoute(use_case=ListRooms, method="GET"),)

    assert told(Rooms) == ["LOOM-REST-017 ListRooms takes 'profile', which is a page parameter already"]


def test_a_header_that_the_route_reads_is_not_asked_for() -> None:
    class Rooms(RestInterface[DpRoom]):
        prefix = "/rooms"
        routes: ClassVar[Any] = (RestRoute(use_case=Paint, method="POST"),)

    assert told(Rooms) == [
        "LOOM-REST-017 Paint takes the header Idempotency-Key as 'once', but the route reads it already",
        "LOOM-REST-017 Paint takes the header If-Match as 'match', but the route reads it already",
    ]


def test_it_is_free_where_the_route_does_not_read_it() -> None:
    class Rooms(RestInterface[DpRoom]):
        prefix = "/rooms"
        idempotency = Idempotency.OFF
        routes: ClassVar[Any] = (RestRoute(use_case=Sweep, method="POST"),)

    assert told(Rooms) == []
