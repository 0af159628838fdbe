"""A row whose key is text has an address, whatever the text, or is not created."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from loom.config.kernel import Kernel
from loom.core import entity, field, key
from loom.rest import RestInterface, app_of


@entity(table="labels")
class Label:
    code: str = key(max_length=8)
    text: str = field(default="", max_length=8)


class LabelInterface(RestInterface[Label]):
    prefix = "/labels"
    auto = True


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    kernel = Kernel.from_yaml(modules=[sys.modules[__name__]], overrides=["persistence.adapter=memory"])
    with TestClient(app_of(kernel)) as made:
        yield made


@pytest.mark.parametrize("code", ["a/b", "/", "//", "a b", "a?b", "a#b", "...", "é", "%", "+"])
def test_a_row_is_found_under_the_address_that_its_creation_gave(client: TestClient, code: str) -> None:
    created = client.post("/labels", json={"code": code})
    address = created.headers["location"]
    assert client.get(address).json() == {"code": code, "text": ""}
    assert client.patch(address, json={"text": "new"}).json()["text"] == "new"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("code", ["", ".", ".."])
def test_a_key_that_no_address_can_hold_is_refused(client: TestClient, code: str) -> None:
    """Clients take these segments out of a path before they send it."""
    answer = client.post("/labels", json={"code": code})
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == "/code"
    assert fault["detail"] == "must not be empty, '.' or '..', because the row is addressed by it"


def test_the_document_says_which_keys_are_taken(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["CreateLabel"]["properties"]["code"] == {
        "type": "string",
        "maxLength": 8,
        "minLength": 1,
        "pattern": "^(?!\\.{1,2}$)[^\\u0000]+$",
    }
    assert "pattern" not in schemas["Label"]["properties"]["code"]


def test_below_a_prefix_a_slash_in_a_key_is_still_no_separator(client: TestClient) -> None:
    with TestClient(client.app, root_path="/api/v1") as below:
        created = below.post("/api/v1/labels", json={"code": "x/y"})
        assert created.headers["location"] == "/api/v1/labels/x%2Fy"
        assert below.get(created.headers["location"]).json()["code"] == "x/y"
