"""Options of routes and of whole interfaces that would have no effect, or another one than was meant."""

from __future__ import annotations

import http
from typing import Any

import pytest

from loom.application.compile import Issues
from loom.application.rest.compile import compile_interface
from loom.core import entity, field, key
from loom.rest import RestInterface, RestRoute
from tests.unit.rest.rest_shop import NothingBound, Ping, compiled


@entity(table="ro_lines")
class Line:
    id: int = key(autoincrement=True)
    product_id: int = field(references="products.id")


def issues_of(interface: type[RestInterface[Any]]) -> list[str]:
    issues = Issues()
    assert compile_interface(interface, issues, NothingBound()) is None
    return [f"{issue.code} {issue.message}" for issue in issues.found]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("path", 5),
        ("path", None),
        ("path", "restock"),
        ("status_code", "201"),
        ("status_code", True),
        ("errors", ValueError),
        ("errors", (ValueError,)),
        ("errors", ("OutOfStock",)),
        ("summary", 5),
        ("requires", 5),
        ("requires", (5,)),
        ("public", "no"),
        ("public", 1),
    ],
)
def test_a_route_with_an_option_of_another_kind_is_an_issue_where_it_stands(option: str, value: Any) -> None:
    route = RestRoute(**{"use_case": Ping, "method": "GET", option: value})

    class Wrong(RestInterface[None]):
        prefix = "/service"
        routes = (route,)

    issues = Issues()
    assert compile_interface(Wrong, issues, NothingBound()) is None
    (issue,) = issues.found
    assert (issue.code, issue.message) == ("LOOM-REST-013", f"RestRoute({option}=...) is {value!r}")
    assert issue.where == route.declared_at


def test_statuses_and_methods_of_the_standard_library_are_right() -> None:
    class Named(RestInterface[None]):
        prefix = "/service"
        routes = (RestRoute(use_case=Ping, method=http.HTTPMethod.GET, status_code=http.HTTPStatus.ACCEPTED),)

    (plan,) = compiled([Named])
    assert [(route.method, route.reply.status) for route in plan.routes] == [("GET", 202)]


def test_if_match_cannot_be_required_of_rows_without_a_version() -> None:
    class Changed(RestInterface[Line]):
        prefix = "/lines"
        auto = True
        require_if_match = True

    class ReadOnly(Changed):
        include = ("list", "get")

    assert issues_of(Changed) == [
        "LOOM-REST-030 require_if_match = True, but Line keeps no version, so that no change could be refused by it"
    ]
    assert compiled([ReadOnly])


def test_a_parameter_of_the_parent_cannot_be_named_like_a_key_of_the_row() -> None:
    class Below(RestInterface[Line]):
        prefix = "/products/{id}/lines"
        auto = True
        parent = {"id": "product_id"}

    assert issues_of(Below)[0] == (
        "LOOM-REST-061 parent: {id} of the prefix is Line.product_id, but id is a key of its own"
    )
