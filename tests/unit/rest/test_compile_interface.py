"""The text of everything that the interface compiler refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from loom.application.compile import Issues
from loom.application.rest.compile import check_duplicates, compile_interface
from loom.application.rest.plan import RoutePlan
from loom.core import Input, UseCase, entity, key
from loom.domain.query import Page, Query
from loom.rest import Idempotency, PaginationMode, RestInterface, RestRoute
from tests.unit.rest.rest_shop import (
    NothingBound,
    Ping,
    Product,
    ProductInterface,
    Restock,
    RestockProduct,
    compiled,
)


def issues_of(interface: type[RestInterface[Any]]) -> list[str]:
    issues = Issues()
    assert compile_interface(interface, issues, NothingBound()) is None
    return [f"{issue.code} {issue.message} | {issue.remedy}" for issue in issues.found]


def routes_of(interface: type[RestInterface[Any]]) -> dict[str, RoutePlan]:
    (plan,) = compiled([interface])
    return {f"{route.method} {route.path.text}": route for route in plan.routes}


@entity(table="logs")
class Keyless:
    text: str = ""


@attrs.frozen
class Money:
    amount: int


class TakesMoney(UseCase[None, str]):
    async def execute(self, money: Money) -> str:
        return str(money)


class ReturnsObject(UseCase[None, Callable[[], None]]):
    async def execute(self) -> Callable[[], None]:
        raise NotImplementedError


class PagesWithoutQuery(UseCase[Product, Page[Product]]):
    async def execute(self) -> Page[Product]:
        raise NotImplementedError


class TakesLimit(UseCase[Product, Page[Product]]):
    async def execute(self, query: Query, limit: int) -> Page[Product]:
        raise NotImplementedError


class PagesKeyless(UseCase[Keyless, Page[Keyless]]):
    async def execute(self, query: Query) -> Page[Keyless]:
        raise NotImplementedError


class NewProduct(UseCase[Product, Product]):
    """Create a product, by hand."""

    async def execute(self, cmd: Restock = Input()) -> Product:
        raise NotImplementedError


def test_unknown_options_are_told_with_the_nearest_name() -> None:
    class Misspelt(RestInterface[Product]):
        prefx = "/products"
        auto = True
        paginaton_mode = PaginationMode.OFFSET

    assert issues_of(Misspelt) == [
        "LOOM-REST-001 interface option 'prefx' does not exist | did you mean 'prefix'?",
        "LOOM-REST-001 interface option 'paginaton_mode' does not exist | did you mean 'pagination_mode'?",
    ]


def test_a_key_cannot_be_required_where_the_answer_is_streamed() -> None:
    class Write(UseCase[Product, AsyncIterator[Product]]):
        async def execute(self) -> AsyncIterator[Product]:
            return self.main_repo.stream(Query(limit=None))

    class Read(Write):
        read_only = True

    class Streamed(RestInterface[Product]):
        prefix = "/products"
        idempotency = Idempotency.REQUIRED
        routes = (
            RestRoute(use_case=Write, method="POST", path="/write"),
            RestRoute(use_case=Read, method="POST", path="/read"),
        )

    assert issues_of(Streamed) == [
        (
            "LOOM-REST-071 idempotency is REQUIRED, but the answer of Write is streamed and cannot be kept for its key "
            "| return a list, set read_only = True, or give the route an interface of its own"
        )
    ]


def test_an_issue_says_where_the_declaration_stands() -> None:
    class Misplaced(RestInterface[Product]):
        prefx = "/products"

    issues = Issues()
    compile_interface(Misplaced, issues, NothingBound())
    place = issues.found[0].where
    assert Path(place.file).name == "test_compile_interface.py"
    assert place.line > 0


def test_methods_of_the_class_are_no_options() -> None:
    class WithMethod(RestInterface[Product]):
        prefix = "/products"
        auto = True

        def describe(self) -> str:
            return self.prefix

    assert routes_of(WithMethod)


def test_options_of_the_wrong_type_are_told() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/products"
        tags = "Products"
        auto = "yes"  # type: ignore[assignment]
        pagination_mode = "cursor"  # type: ignore[assignment]
        page_size = 0

    assert issues_of(Wrong) == [
        "LOOM-REST-013 Wrong.tags is 'Products' | it takes a tuple of texts: (\"Products\",)",
        "LOOM-REST-013 Wrong.auto is 'yes' | it takes True or False",
        "LOOM-REST-013 Wrong.pagination_mode is 'cursor' | it takes PaginationMode.CURSOR or PaginationMode.OFFSET",
        "LOOM-REST-013 Wrong.page_size is 0 | it takes a whole number above 0",
    ]


def test_auto_needs_an_entity() -> None:
    class NoEntity(RestInterface[Restock]):
        prefix = "/restocks"
        auto = True

    class NoModel(RestInterface[None]):
        prefix = "/restocks"
        auto = True

    remedy = "write RestInterface[Model] with a class decorated with @entity(table=...)"
    assert issues_of(NoEntity) == [f"LOOM-REST-002 auto = True, but Restock is not an entity | {remedy}"]
    assert issues_of(NoModel) == [f"LOOM-REST-002 auto = True, but no entity is named | {remedy}"]


def test_auto_needs_a_key() -> None:
    class KeylessInterface(RestInterface[Keyless]):
        prefix = "/logs"
        auto = True

    assert issues_of(KeylessInterface) == [
        (
            "LOOM-REST-003 auto = True, but Keyless has no key | "
            "declare one with key(), or name it: entity(table=..., key=...)"
        )
    ]


def test_a_cursor_needs_a_key() -> None:
    class KeylessPages(RestInterface[Keyless]):
        prefix = "/logs"
        routes = (RestRoute(use_case=PagesKeyless, method="GET"),)

    assert issues_of(KeylessPages) == [
        (
            "LOOM-REST-003 Keyless has no key, so a cursor cannot continue behind one of its rows | "
            "declare a key(), or set pagination_mode = PaginationMode.OFFSET"
        )
    ]


def test_misspelt_operations_are_told_with_the_nearest_name() -> None:
    class Narrow(RestInterface[Product]):
        prefix = "/products"
        auto = True
        include = ("lst", "get")
        exclude = ("remove",)

    assert issues_of(Narrow) == [
        "LOOM-REST-004 Narrow.include: operation 'lst' does not exist | did you mean 'list'?",
        "LOOM-REST-004 Narrow.exclude: operation 'remove' does not exist | known: create, delete, get, list, update",
    ]


def test_include_without_auto_has_no_effect_and_is_told() -> None:
    class Manual(RestInterface[Product]):
        prefix = "/products"
        include = ("get",)
        routes = (RestRoute(use_case=Ping, method="GET"),)

    assert issues_of(Manual) == ["LOOM-REST-004 include has no effect without auto | set auto = True"]


@pytest.mark.parametrize(
    ("prefix", "path", "fault"),
    [
        ("products", "", "path 'products' does not begin with a slash"),
        ("/products", "/", "path '/products/' ends with a slash"),
        ("/a b", "", "path '/a b' has the segment 'a b', which is neither plain text nor one {parameter}"),
        ("/a", "/{x", "path '/a/{x' has the segment '{x', which is neither plain text nor one {parameter}"),
        ("/a", "//b", "path '/a//b' has the segment '', which is neither plain text nor one {parameter}"),
        ("/{id}", "/{id}", "path '/{id}/{id}' names {id} twice"),
    ],
)
def test_malformed_paths_are_told(prefix: str, path: str, fault: str) -> None:
    interface = type(
        "Interface",
        (RestInterface,),
        {"prefix": prefix, "routes": (RestRoute(use_case=Ping, method="GET", path=path),)},
    )
    (issue,) = issues_of(interface)
    assert issue.startswith(f"LOOM-REST-005 {fault} | ")


def test_a_path_parameter_that_the_use_case_does_not_take_is_told() -> None:
    class Misnamed(RestInterface[Product]):
        prefix = "/products"
        routes = (RestRoute(use_case=RestockProduct, method="POST", path="/{produkt_id}/restock"),)

    assert issues_of(Misnamed) == [
        (
            "LOOM-REST-006 RestockProduct takes no {produkt_id}: its parameter 'produkt_id' does not exist | "
            "did you mean 'product_id'?"
        )
    ]


def test_two_routes_on_one_method_and_path_are_told() -> None:
    class Twice(RestInterface[None]):
        prefix = "/x"
        routes = (
            RestRoute(use_case=Ping, method="GET", path="/ping"),
            RestRoute(use_case=Ping, method="get", path="/ping"),
        )

    assert issues_of(Twice) == [
        "LOOM-REST-007 GET /x/ping is taken by Ping (/x/ping) | change the method or the path of one of them"
    ]


def test_two_interfaces_on_one_path_are_told() -> None:
    class Other(RestInterface[Product]):
        prefix = "/products"
        auto = True
        include = ("get",)

    issues = Issues()
    routes = [route for interface in (ProductInterface, Other) for route in compiled([interface])[0].routes]
    check_duplicates(routes, issues)
    assert [issue.message for issue in issues.found] == ["GET /products/{id} is taken by GetProduct (/products/{id})"]


def test_unknown_methods_are_told() -> None:
    class Wrong(RestInterface[None]):
        prefix = "/x"
        routes = (RestRoute(use_case=Ping, method="PSOT"),)

    assert issues_of(Wrong) == ["LOOM-REST-008 method 'PSOT' does not exist | did you mean 'POST'?"]


def test_what_is_no_use_case_is_told() -> None:
    class Wrong(RestInterface[None]):
        prefix = "/x"
        routes = (RestRoute(use_case=Restock, method="POST"),)  # type: ignore[arg-type]

    assert issues_of(Wrong) == [
        "LOOM-REST-009 use_case is 'Restock', which is not a UseCase class | derive it from UseCase[Model, Result]"
    ]


def test_a_method_without_body_cannot_carry_a_command() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/x"
        routes = (RestRoute(use_case=NewProduct, method="GET"),)

    assert issues_of(Wrong) == [
        (
            "LOOM-REST-010 GET carries no body, but NewProduct takes Restock | "
            "use POST, PUT, PATCH, or make its fields parameters of execute"
        )
    ]


def test_a_parameter_needs_a_text_form() -> None:
    class Wrong(RestInterface[None]):
        prefix = "/x"
        routes = (RestRoute(use_case=TakesMoney, method="GET"),)

    (issue,) = issues_of(Wrong)
    assert issue == (
        "LOOM-REST-011 TakesMoney(money: tests.unit.rest.test_compile_interface.Money) has no text form, "
        "so it cannot come from a path, a query string or a header | put it into the command, or use a scalar type"
    )


def test_a_status_without_body_needs_a_result_of_none() -> None:
    class Wrong(RestInterface[None]):
        prefix = "/x"
        routes = (
            RestRoute(use_case=Ping, method="GET", path="/a", status_code=204),
            RestRoute(use_case=Ping, method="GET", path="/b", status_code=404),
        )

    assert issues_of(Wrong) == [
        "LOOM-REST-014 status_code 204 has no body, but Ping returns str | return None, or answer 200",
        "LOOM-REST-014 status_code 404 is no success | give one from 200 to 299",
    ]


def test_a_result_needs_a_json_form() -> None:
    class Wrong(RestInterface[None]):
        prefix = "/x"
        routes = (RestRoute(use_case=ReturnsObject, method="GET"),)

    (issue,) = issues_of(Wrong)
    assert issue.startswith("LOOM-REST-015 the result of ReturnsObject has no JSON form: ")
    assert issue.endswith(" | return an attrs class, a scalar, or a list of them")


def test_an_interface_needs_a_route() -> None:
    class Empty(RestInterface[Product]):
        prefix = "/products"

    assert issues_of(Empty) == ["LOOM-REST-016 Empty has no routes | set auto = True, or add a RestRoute"]


def test_page_parameters_cannot_be_taken_twice() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/x"
        routes = (RestRoute(use_case=TakesLimit, method="GET"),)

    assert issues_of(Wrong) == [
        (
            "LOOM-REST-017 TakesLimit takes 'limit', which is a page parameter already | "
            "read it from the Query (query), or give it another name"
        )
    ]


@pytest.mark.parametrize(
    ("mode", "page"), [(PaginationMode.CURSOR, "cursor"), (PaginationMode.OFFSET, "offset")], ids=["cursor", "offset"]
)
def test_a_filter_is_not_named_like_a_page_parameter(mode: PaginationMode, page: str) -> None:
    """One of the two would not be heard: a list would end after its first page, or not be filtered."""
    columns = ("limit", "cursor", "offset", "sort", "fields", "profile", "total")

    @entity(table="accounts", profiles={"whole": ()})
    class Account:
        id: int = key(autoincrement=True)
        limit: int = 0
        cursor: int = 0
        offset: int = 0
        sort: int = 0
        fields: int = 0
        profile: int = 0
        total: int = 0

    class Accounts(RestInterface[Account]):
        prefix = "/accounts"
        auto = True
        pagination_mode = mode
        filters = columns
        sorts = ("total",)
        profiles = ("whole",)

    Accounts.fields = columns
    assert [told for told in issues_of(Accounts) if "LOOM-REST-021" in told] == [
        f"LOOM-REST-021 Accounts.filters: {name} is the page parameter '{name}' already "
        "| leave it out, or give the column another name on Accounts's entity"
        for name in columns
        if name in ("limit", "sort", "fields", "profile", page)
    ]


def test_a_page_needs_a_query_to_ask_for_the_next_one() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/x"
        routes = (RestRoute(use_case=PagesWithoutQuery, method="GET"),)

    assert issues_of(Wrong) == [
        (
            "LOOM-REST-018 PagesWithoutQuery takes 0 Query and returns a Page | "
            "a list takes one parameter `query: Query` and returns Page[Model]"
        )
    ]


def test_every_issue_is_told_at_once() -> None:
    class Many(RestInterface[Product]):
        prefix = "/products"
        auto = True
        exclude = ("destroy",)
        routes = (
            RestRoute(use_case=RestockProduct, method="GET", path="/{product_id}/restock"),
            RestRoute(use_case=Ping, method="FETCH", path="/ping/"),
        )

    assert [issue.split(" ")[0] for issue in issues_of(Many)] == [
        "LOOM-REST-004",
        "LOOM-REST-010",
        "LOOM-REST-008",
        "LOOM-REST-005",
    ]


def test_issues_of_the_use_case_are_told_with_those_of_the_route() -> None:
    class Untyped(UseCase[Product, Product]):
        async def execute(self, product_id) -> Product:  # type: ignore[no-untyped-def]
            raise NotImplementedError

    class Interface(RestInterface[Product]):
        prefix = "/products"
        routes = (RestRoute(use_case=Untyped, method="GET", path="/{product_id}"),)

    assert [issue.split(" ")[0] for issue in issues_of(Interface)] == ["LOOM-CORE-109"]


def test_filters_and_sorts_of_unknown_columns_are_told() -> None:
    class Misspelt(RestInterface[Product]):
        prefix = "/products"
        auto = True
        filters = ("stok",)
        sorts = ("prize", "extra")

    assert issues_of(Misspelt) == [
        "LOOM-REST-019 Misspelt.filters: column 'stok' does not exist | did you mean 'stock'?",
        "LOOM-REST-019 Misspelt.sorts: column 'prize' does not exist | did you mean 'price'?",
        "LOOM-REST-020 Misspelt.sorts: extra is json, which cannot be compared | leave it out",
    ]


def test_filters_need_an_entity() -> None:
    class Bundle(RestInterface[None]):
        prefix = "/x"
        filters = ("name",)
        routes = (RestRoute(use_case=Ping, method="GET"),)

    assert issues_of(Bundle) == [
        "LOOM-REST-019 filters has no effect without an entity | name it: RestInterface[Model]"
    ]


def test_a_page_is_not_larger_than_the_largest() -> None:
    class Wrong(RestInterface[Product]):
        prefix = "/products"
        auto = True
        page_size = 500

    assert issues_of(Wrong) == ["LOOM-REST-013 Wrong.page_size is 500, but max_page_size is 200 | raise max_page_size"]


@pytest.mark.parametrize(
    ("column", "operators"),
    [
        ("sku", "= ne in lt le gt ge like ilike"),
        ("stock", "= ne in lt le gt ge"),
        ("released", "= ne in lt le gt ge null"),
        ("status", "= ne in"),
        ("batch", "= ne in null"),
        ("fragile", "="),
    ],
)
def test_a_column_has_the_filters_of_its_type(column: str, operators: str) -> None:
    class Filtered(RestInterface[Product]):
        prefix = "/products"
        auto = True
        include = ("list",)
        filters = (column,)

    names = [plan.name for plan in routes_of(Filtered)["GET /products"].query_parameters[2:]]
    assert names == [column if part == "=" else f"{column}.{part}" for part in operators.split()]
