"""What the interface compiler makes of a declaration: the expansion of auto-CRUD, and what takes its place."""

from __future__ import annotations

import inspect
from typing import Any

import attrs
import pytest

from loom.application.rest.listing import routes_text
from loom.application.rest.plan import Reply, RoutePlan
from loom.core import ABSENT, F, Input, Rule, UseCase, entity
from loom.domain.model import schema_of
from loom.rest import RestInterface, RestRoute, auto_crud
from tests.unit.rest.rest_shop import Ping, Product, ProductInterface, Rate, RateInterface, Restock, compiled


def routes_of(interface: type[RestInterface[Any]]) -> dict[str, RoutePlan]:
    (plan,) = compiled([interface])
    return {f"{route.method} {route.path.text}": route for route in plan.routes}


@entity(table="logs")
class Keyless:
    text: str = ""


class NewProduct(UseCase[Product, Product]):
    """Create a product, by hand."""

    async def execute(self, cmd: Restock = Input()) -> Product:
        raise NotImplementedError


def test_auto_expands_into_five_routes() -> None:
    routes = routes_of(ProductInterface)
    assert [name for name, route in routes.items() if route.generated] == [
        "GET /products",
        "GET /products/{id}",
        "POST /products",
        "PATCH /products/{id}",
        "DELETE /products/{id}",
    ]


def test_own_routes_follow_the_generated_ones() -> None:
    routes = routes_of(ProductInterface)
    assert [name for name, route in routes.items() if not route.generated] == [
        "POST /products/{product_id}/restock",
        "GET /products/find",
        "POST /products/purge",
    ]


def test_a_composite_key_has_one_segment_for_each_field() -> None:
    assert "GET /rates/{country}/{since}" in routes_of(RateInterface)


def test_a_generated_use_case_has_the_signature_of_one_written_by_hand() -> None:
    crud = auto_crud(Rate)
    assert list(inspect.signature(crud.update.execute).parameters) == ["self", "cmd", "country", "since"]
    assert crud.get.read_only
    assert not crud.create.read_only


def test_generated_use_cases_are_the_same_at_every_call() -> None:
    assert auto_crud(Product) is auto_crud(Product)


def test_the_create_command_lacks_what_the_store_gives() -> None:
    names = schema_of(auto_crud(Product).create_command).names
    assert "id" not in names
    assert "created_at" not in names
    assert "sku" in names


def test_the_create_command_keeps_defaults_and_lengths() -> None:
    schema = schema_of(auto_crud(Product).create_command)
    stock, sku = schema.field("stock"), schema.field("sku")
    assert stock is not None
    assert sku is not None
    assert (stock.required, stock.default) == (False, 0)
    assert (sku.required, sku.type.max_length) == (True, 16)


def test_every_field_of_the_patch_command_may_be_left_out() -> None:
    made = auto_crud(Rate).patch_command()
    assert attrs.asdict(made) == {"percent": ABSENT}


def test_a_model_without_key_has_no_crud() -> None:
    with pytest.raises(ValueError, match=r"Keyless has no key; declare one with key\(\)"):
        auto_crud(Keyless)


def test_a_generated_use_case_can_be_subclassed() -> None:
    crud = auto_crud(Product)

    class CreateChecked(crud.create):  # type: ignore[name-defined, misc]
        """Create a product that costs something."""

        rules = (Rule.require(F(crud.create_command).price > 0, message="must cost something"),)

    class Replaced(RestInterface[Product]):
        prefix = "/products"
        auto = True
        routes = (RestRoute(use_case=CreateChecked, method="POST", status_code=201),)

    route = routes_of(Replaced)["POST /products"]
    assert route.command is crud.create_command
    assert len(route.use_case.rules) == 1
    assert route.reply.location is not None


def test_the_expansion_can_be_printed() -> None:
    assert routes_text(compiled([RateInterface])) == (
        "GET     /rates/{country}/{since}  200  GetRate(country: str, since: date) -> Rate  (generated)\n"
        "POST    /rates                    201  CreateRate(cmd: CreateRate) -> Rate  (generated)\n"
        "DELETE  /rates/{country}/{since}  204  DeleteRate(country: str, since: date) -> None  (generated)\n"
        "GET     /rates                    200  ListRates(query: Query) -> Page[Rate]\n"
    )
    assert "FindProducts(status: Status, low: bool, skus: list[str] | None) -> list[Product]" in routes_text(
        compiled([ProductInterface])
    )


def test_include_narrows_the_generated_operations() -> None:
    class ReadOnly(RestInterface[Product]):
        prefix = "/products"
        auto = True
        include = ("list", "get")

    assert list(routes_of(ReadOnly)) == ["GET /products", "GET /products/{id}"]


def test_a_route_replaces_the_generated_one_on_its_method_and_path() -> None:
    class Replaced(RestInterface[Product]):
        prefix = "/products"
        auto = True
        routes = (RestRoute(use_case=NewProduct, method="post", status_code=201),)

    route = routes_of(Replaced)["POST /products"]
    assert route.use_case.use_case is NewProduct
    assert not route.generated
    assert route.summary == "Create a product, by hand."


def test_replacing_does_not_depend_on_the_name_of_the_parameter() -> None:
    class Fetch(UseCase[Product, Product]):
        async def execute(self, product_id: int) -> Product:
            raise NotImplementedError

    class Replaced(RestInterface[Product]):
        prefix = "/products"
        auto = True
        routes = (RestRoute(use_case=Fetch, method="GET", path="/{product_id}"),)

    routes = routes_of(Replaced)
    assert "GET /products/{product_id}" in routes
    assert "GET /products/{id}" not in routes


def test_the_result_decides_the_status_where_none_is_given() -> None:
    class Forget(UseCase[None, None]):
        async def execute(self) -> None:
            raise NotImplementedError

    class Interface(RestInterface[None]):
        prefix = "/x"
        routes = (
            RestRoute(use_case=Ping, method="GET", path="/ping"),
            RestRoute(use_case=Forget, method="POST", path="/forget"),
        )

    routes = routes_of(Interface)
    assert routes["GET /x/ping"].reply.status == 200
    assert routes["POST /x/forget"].reply.status == 204
    assert routes["POST /x/forget"].reply.kind is Reply.EMPTY


def test_a_created_row_has_an_address_only_where_rows_are_served() -> None:
    class WriteOnly(RestInterface[Product]):
        prefix = "/products"
        auto = True
        include = ("create",)

    assert routes_of(WriteOnly)["POST /products"].reply.location is None
    assert routes_of(ProductInterface)["POST /products"].reply.location is not None
