"""Who may call: what an interface and its routes say, and what is wrong with it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from loom.application.compile import Issues
from loom.application.rest.access import check_callers
from loom.application.rest.compile import compile_interface
from loom.application.rest.grants import GrantsAuthorizer
from loom.application.rest.listing import routes_text
from loom.application.rest.plan import Access
from loom.core import Forbidden, Principal
from loom.rest import RestInterface, RestRoute, auto_crud
from tests.unit.rest import tenants
from tests.unit.rest.rest_shop import NothingBound, Ping, Product, compiled


def accesses(interface: type[RestInterface[Any]]) -> list[Access]:
    (plan,) = compiled([interface])
    return [route.access for route in plan.routes]


def issues_of(interface: type[RestInterface[Any]]) -> list[tuple[str, str]]:
    issues = Issues()
    compile_interface(interface, issues, NothingBound())
    return [(issue.code, issue.message) for issue in issues.found]


def test_where_nothing_is_said_the_deployment_decides() -> None:
    class Silent(RestInterface[None]):
        prefix = "/x"
        routes = (RestRoute(use_case=Ping, method="GET"),)

    assert accesses(Silent) == [Access()]


def test_an_interface_speaks_for_its_routes_and_a_route_for_itself() -> None:
    class Mixed(RestInterface[None]):
        prefix = "/x"
        requires = ("a", "b", "a")
        routes = (
            RestRoute(use_case=Ping, method="GET", path="/inherits"),
            RestRoute(use_case=Ping, method="GET", path="/open", public=True),
            RestRoute(use_case=Ping, method="GET", path="/known", requires=()),
            RestRoute(use_case=Ping, method="GET", path="/other", requires=("c",)),
        )

    assert accesses(Mixed) == [
        Access(requires=("a", "b"), stated=True),
        Access(public=True, stated=True),
        Access(stated=True),
        Access(requires=("c",), stated=True),
    ]


def test_generated_operations_may_be_public_one_by_one() -> None:
    class Catalogue(RestInterface[Product]):
        prefix = "/products"
        auto = True
        exclude = ("update",)
        export = True
        public = ("list", "get", "export")
        requires = ("manage",)

    (plan,) = compiled([Catalogue])
    public = {route.use_case.name for route in plan.routes if route.access.public}
    shut = {route.use_case.name: route.access.requires for route in plan.routes if not route.access.public}
    assert public == {"ListProduct", "GetProduct", "ExportProduct"}
    assert shut == {"CreateProduct": ("manage",), "DeleteProduct": ("manage",)}


def test_a_public_operation_is_one_that_is_generated() -> None:
    class Misspelt(RestInterface[Product]):
        prefix = "/products"
        auto = True
        exclude = ("update",)
        public = ("lists", "update")

    class NoTuple(RestInterface[Product]):
        prefix = "/products"
        auto = True
        public = "list"

    assert issues_of(Misspelt) == [
        ("LOOM-REST-004", "Misspelt.public: generated operation 'lists' does not exist"),
        ("LOOM-REST-004", "Misspelt.public: generated operation 'update' does not exist"),
    ]
    assert issues_of(NoTuple) == [("LOOM-REST-013", "NoTuple.public is 'list'")]


def test_what_is_said_of_a_generated_operation_is_not_lost_with_it() -> None:
    class Replaced(RestInterface[Product]):
        prefix = "/products"
        auto = True
        public = ("list", "get")
        routes: ClassVar[Any] = (
            RestRoute(use_case=auto_crud(Product).list, method="GET"),
            RestRoute(use_case=auto_crud(Product).get, method="GET", path="/{id}", public=True),
        )

    assert issues_of(Replaced) == [
        ("LOOM-REST-004", "public names GET of the prefix, which a route of your own replaces")
    ]


def test_a_route_may_want_callers_although_its_interface_is_public() -> None:
    class Open(RestInterface[None]):
        prefix = "/x"
        public = True
        routes = (
            RestRoute(use_case=Ping, method="GET", path="/open"),
            RestRoute(use_case=Ping, method="GET", path="/shut", public=False),
        )

    assert accesses(Open) == [Access(public=True, stated=True), Access()]


def test_generated_operations_take_the_access_of_their_interface() -> None:
    class Generated(RestInterface[Product]):
        prefix = "/x"
        auto = True
        requires = ("x",)

    assert set(accesses(Generated)) == {Access(requires=("x",), stated=True)}


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ({"public": True, "requires": ("a",)}, "LOOM-REST-041", "public = True, but a is required"),
        ({"requires": ("two words",)}, "LOOM-REST-042", "requires names 'two words'"),
        ({"requires": ("",)}, "LOOM-REST-042", "requires names ''"),
        ({"requires": "admin"}, "LOOM-REST-013", "requires is 'admin'"),
        ({"public": "yes"}, "LOOM-REST-013", "public is 'yes'"),
        ({"requries": ("a",)}, "LOOM-REST-001", "'requries' does not exist"),
    ],
)
def test_what_makes_no_sense_is_an_issue(options: dict[str, Any], code: str, told: str) -> None:
    route = RestRoute(use_case=Ping, method="GET")
    made: type[RestInterface[Any]] = type("Made", (RestInterface,), {"prefix": "/x", "routes": (route,), **options})
    [(found, message)] = issues_of(made)
    assert found == code
    assert told in message


def test_a_text_is_not_a_list_of_names_on_a_route_either() -> None:
    class Made(RestInterface[None]):
        prefix = "/x"
        routes = (RestRoute(use_case=Ping, method="GET", requires="admin"),)

    assert issues_of(Made) == [("LOOM-REST-042", "requires is the text 'admin'")]


def test_where_nobody_can_be_known_an_interface_that_wants_callers_is_an_issue() -> None:
    issues = Issues()
    check_callers(compiled(tenants.INTERFACES), issues)
    assert [(issue.code, issue.message.partition(",")[0]) for issue in issues.found] == [
        ("LOOM-REST-045", "9 of 9 routes want a known caller"),
        ("LOOM-REST-045", "5 of 5 routes want a known caller"),
        ("LOOM-REST-045", "1 of 3 routes want a known caller"),
    ]


async def test_grants_are_all_needed() -> None:
    authorizer = GrantsAuthorizer()
    ann = Principal(subject="ann", grants=frozenset({"a", "b"}))
    await authorizer.authorize(ann, (), "X")
    await authorizer.authorize(ann, ("a", "b"), "X")
    with pytest.raises(Forbidden, match="X requires c"):
        await authorizer.authorize(ann, ("a", "c"), "X")


def test_the_listing_says_who_may_call() -> None:
    listed = routes_text(compiled([tenants.MeInterface]), secured=True).splitlines()
    assert [line.rpartition(")  ")[2].rpartition("  ")[2] for line in listed] == [
        "(public)",
        "(known callers)",
        "(requires admin, drafts:use)",
    ]
    assert "(known callers)" not in routes_text(compiled([tenants.MeInterface]))
