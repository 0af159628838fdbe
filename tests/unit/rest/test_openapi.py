"""The OpenAPI document: what is accepted, what is answered, and nothing else."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from loom.application.rest.components import Components, Direction
from loom.application.rest.openapi import ApiInfo, openapi_document
from loom.core import ABSENT, Input, Patch, UseCase, command, entity, field, key, relation
from loom.rest import RestInterface, RestRoute
from tests.unit.rest.rest_shop import Ping, ProductInterface, RestockProduct, compiled

DOCUMENT = openapi_document(compiled(), ApiInfo(title="shop", version="1"))
SCHEMAS = DOCUMENT["components"]["schemas"]


@attrs.frozen
class Part:
    name: str
    size: int = 1


@attrs.frozen
class Tree:
    parts: list[Part]
    main: Part | None
    by_name: dict[str, Part]
    children: list[Tree] = attrs.field(factory=list)


@command
class Everything:
    flag: bool
    blob: bytes
    at: dt.datetime
    day_time: dt.time
    wait: dt.timedelta
    token: uuid.UUID
    anything: Any
    maybe: Patch[int | None] = ABSENT


@entity(table="owners")
class Owner:
    id: int = key(autoincrement=True)
    pets: list[Pet] = relation(foreign_key="owner_id")


@entity(table="pets")
class Pet:
    id: int = key(autoincrement=True)
    owner_id: int = field(references="owners.id")
    owner: Owner | None = relation(foreign_key="owner_id")


def schemas_of(annotation: Any, direction: Direction) -> dict[str, Any]:
    components = Components()
    components.of(annotation, direction)
    return components.schemas


def operation(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def test_every_route_is_described_under_a_name_of_its_own() -> None:
    described = [found["operationId"] for item in DOCUMENT["paths"].values() for found in item.values()]
    routes = [route for plan in compiled() for route in plan.routes]
    health = 2
    assert len(described) == len(set(described)) == len(routes) + health


def test_every_reference_leads_somewhere() -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, Mapping):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for child in node.values() for found in references(child)]
        return [found for child in node for found in references(child)] if isinstance(node, list) else []

    found = references(DOCUMENT)
    assert found
    for reference in found:
        _, _, kind, name = reference.split("/")
        assert name in DOCUMENT["components"][kind]


def test_the_same_plans_give_the_same_document() -> None:
    assert openapi_document(compiled(), ApiInfo(title="shop", version="1")) == DOCUMENT


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/products", "get", "200 404 422 500 503"),
        ("/products", "post", "201 400 409 413 415 422 500 503"),
        ("/products/{id}", "get", "200 404 422 500 503"),
        ("/products/{id}", "patch", "200 400 404 409 413 415 422 500 503"),
        ("/products/{id}", "delete", "204 404 409 422 500 503"),
        ("/products/purge", "post", "204 400 403 409 422 500 503"),
        ("/rates", "get", "200 422 500 503"),
        ("/service/ping", "get", "200 422 500 503"),
        ("/health/live", "get", "200"),
        ("/health/ready", "get", "200 500 503"),
    ],
)
def test_each_status_that_an_operation_can_answer(path: str, method: str, statuses: str) -> None:
    assert " ".join(operation(path, method)["responses"]) == statuses


def test_an_input_holds_nothing_unknown_and_leaves_defaults_out() -> None:
    schema = SCHEMAS["CreateProduct"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["sku", "name", "price"]
    assert schema["properties"]["stock"]["default"] == 0


def test_an_output_holds_every_field() -> None:
    assert SCHEMAS["Product"]["required"] == list(SCHEMAS["Product"]["properties"])


def test_a_patch_requires_nothing_and_says_what_may_be_null() -> None:
    schema = SCHEMAS["UpdateProduct"]
    assert "required" not in schema
    assert schema["properties"]["released"]["type"] == ["string", "null"]
    assert schema["properties"]["name"]["type"] == "string"


def test_limits_of_columns_are_limits_of_the_schema() -> None:
    properties = SCHEMAS["CreateProduct"]["properties"]
    assert properties["sku"]["maxLength"] == 16
    assert properties["price"]["pattern"] == r"^-?[0-9]{1,6}(\.[0-9]{1,2})?$"
    assert properties["stock"]["maximum"] == 9223372036854775807
    assert properties["status"]["enum"] == ["draft", "on-sale"]


def test_the_key_in_a_path_has_the_limits_of_its_column() -> None:
    country, since = operation("/rates/{country}/{since}", "get")["parameters"]
    assert (country["name"], country["in"], country["required"]) == ("country", "path", True)
    assert country["schema"]["maxLength"] == 2
    assert since["schema"]["format"] == "date"


def test_page_parameters_have_their_bounds() -> None:
    limit, cursor, *_ = operation("/products", "get")["parameters"]
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"], limit["schema"]["default"]) == (1, 20, 5)
    assert (cursor["name"], cursor["required"]) == ("cursor", False)
    assert [parameter["name"] for parameter in operation("/rates", "get")["parameters"]] == ["limit", "offset"]


def test_filters_and_sorts_are_typed() -> None:
    parameters = {parameter["name"]: parameter for parameter in operation("/products", "get")["parameters"]}
    assert parameters["stock.ge"]["schema"]["type"] == "integer"
    assert parameters["status"]["schema"]["enum"] == ["draft", "on-sale"]
    assert parameters["sku.in"]["schema"] == {
        "type": "array",
        "items": {"type": "string", "maxLength": 16, "pattern": "^[^\\u0000]*$"},
    }
    sort = parameters["sort"]
    assert (sort["style"], sort["explode"]) == ("form", False)
    assert sort["schema"]["items"]["enum"][:3] == ["name", "-name", "price"]


def test_a_created_row_has_a_location() -> None:
    assert "Location" in operation("/products", "post")["responses"]["201"]["headers"]
    assert "Location" not in operation("/products/{id}", "patch")["responses"]["200"]["headers"]


def test_a_created_row_is_linked_to_what_can_be_done_with_it() -> None:
    """By the parts of its key, however the path calls them; an operation that is not served has no link."""
    product = DOCUMENT["paths"]["/products"]["post"]["responses"]["201"]["links"]
    assert set(product) == {"GetProduct", "UpdateProduct", "DeleteProduct"}
    assert product["GetProduct"] == {"operationId": "GetProduct", "parameters": {"id": "$response.body#/id"}}
    rate = DOCUMENT["paths"]["/rates"]["post"]["responses"]["201"]["links"]
    assert set(rate) == {"GetRate", "DeleteRate"}
    parameters = {"country": "$response.body#/country", "since": "$response.body#/since"}
    assert rate["GetRate"]["parameters"] == parameters


def test_a_link_below_a_parent_takes_the_parent_from_the_request() -> None:
    class PetInterface(RestInterface[Pet]):
        prefix = "/owners/{owner_id}/pets"
        auto = True
        parent = "owner_id"

    document = openapi_document(compiled([PetInterface]), ApiInfo())
    links = document["paths"]["/owners/{owner_id}/pets"]["post"]["responses"]["201"]["links"]
    assert links["GetPet"]["parameters"] == {"owner_id": "$request.path.owner_id", "id": "$response.body#/id"}


def test_nested_classes_become_components_and_may_hold_themselves() -> None:
    schemas = schemas_of(Tree, Direction.OUTPUT)
    part = {"$ref": "#/components/schemas/Part"}
    assert schemas["Tree"]["properties"] == {
        "parts": {"type": "array", "items": part},
        "main": {"anyOf": [part, {"type": "null"}]},
        "by_name": {
            "type": "object",
            "additionalProperties": part,
            "propertyNames": {"pattern": "^[^\\u0000]*$"},
        },
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
    }


def test_relations_are_no_part_of_a_row_that_no_profile_loaded() -> None:
    for direction in Direction:
        assert list(schemas_of(Owner, direction)["Owner"]["properties"]) == ["id"]
        assert list(schemas_of(Pet, direction)["Pet"]["properties"]) == ["id", "owner_id"]


def test_a_class_that_travels_both_ways_has_a_component_for_each() -> None:
    components = Components()
    components.of(Part, Direction.OUTPUT)
    assert components.of(Part, Direction.INPUT) == {"$ref": "#/components/schemas/PartInput"}
    assert components.schemas["PartInput"]["required"] == ["name"]


def test_two_classes_of_one_name_have_two_components() -> None:
    other = attrs.make_class("Part", {"other": attrs.field(type=int)})
    components = Components()
    assert components.of(Part, Direction.OUTPUT) != components.of(other, Direction.OUTPUT)


def test_every_kind_is_described() -> None:
    properties = schemas_of(Everything, Direction.INPUT)["Everything"]["properties"]
    assert properties["blob"]["contentEncoding"] == "base64"
    assert properties["at"]["format"] == "date-time"
    assert properties["token"]["format"] == "uuid"
    assert properties["maybe"]["type"] == ["integer", "null"]
    assert properties["anything"] == {"$ref": "#/components/schemas/Json"}
    assert "format" not in properties["day_time"]  # the format `time` would ask for a zone


def test_names_that_a_document_has_already_are_left_alone() -> None:
    document = openapi_document(compiled(), ApiInfo(), reserved=["Product", "Problem"])
    assert {"Product", "Problem"}.isdisjoint(document["components"]["schemas"])


def test_paths_that_differ_in_parameter_names_alone_are_one() -> None:
    class Fetch(UseCase[None, str]):
        read_only = True

        async def execute(self, name: str) -> str:
            return name

    class Store(UseCase[None, str]):
        async def execute(self, key: str, cmd: Part = Input()) -> str:
            return key

    class Interface(RestInterface[None]):
        prefix = "/notes"
        routes = (
            RestRoute(use_case=Fetch, method="GET", path="/{name}"),
            RestRoute(use_case=Store, method="PUT", path="/{key}"),
        )

    paths = openapi_document(compiled([Interface]), ApiInfo())["paths"]
    assert [path for path in paths if path.startswith("/notes")] == ["/notes/{name}"]
    assert paths["/notes/{name}"]["put"]["parameters"][0]["name"] == "name"


def test_a_use_case_on_two_routes_has_two_operation_ids() -> None:
    class Interface(RestInterface[None]):
        prefix = "/x"
        routes = (
            RestRoute(use_case=Ping, method="GET", path="/a"),
            RestRoute(use_case=Ping, method="GET", path="/b"),
        )

    paths = openapi_document(compiled([Interface]), ApiInfo())["paths"]
    assert [paths[path]["get"]["operationId"] for path in ("/x/a", "/x/b")] == ["Ping", "Ping_get_x_b"]


def test_summaries_come_from_docstrings() -> None:
    assert operation("/products/{product_id}/restock", "post")["summary"] == RestockProduct.__doc__
    assert operation("/products", "get")["summary"] == "List Product."
    assert operation("/rates", "get")["summary"] == "Rates in force"
    assert operation("/service/ping", "get")["summary"] == "Ping"
    assert DOCUMENT["tags"] == [{"name": tag} for tag in (*ProductInterface.tags, "Rates")]
