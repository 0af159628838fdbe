"""A fuzzer reads the OpenAPI document of the store example and finds no answer that the document does not foresee."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.system.clock import SystemClock
from loom.core import Kernel
from loom.ports.persistence import Persistence
from loom.rest import app_of
from tests.examples.fuzzing import LENIENT, NO_CACHE, with_new_key

CONFIG = Path(__file__).parents[2] / "examples" / "store" / "config" / "embedded.yaml"
# Of what they refuse no schema can tell: rules, named checks, addresses of others, changes of stock.
WITH_RULES = (
    "POST /orders",
    "POST /products",
    "PATCH /products/{id}",
    "POST /products/bulk",
    "PATCH /products/bulk",
    "POST /products/{id}/restock",
    "POST /users/{user_id}/addresses",
    "PATCH /users/{user_id}/addresses/{id}",
)
# Somebody who runs the shop and orders in it, so that every route lets the fuzzer in.
FUZZER = {"Authorization": "Bearer fuzzer"}
OVERRIDES = [
    "observability.log.level=critical",
    "security.holders=[{token: fuzzer, subject: fuzzer, claims: {user_id: 1}, grants: ['store:manage']}]",
]

ROWS: dict[str, dict[str, Any]] = {
    "/users": {"email": "ann@example.org", "name": "Ann"},
    "/users/{user_id}/addresses": {"street": "1 High St", "city": "Leeds", "country": "GB"},
    "/products": {"sku": "mug", "name": "Stoneware mug", "price": "14.50", "stock": 900},
    "/orders": {"address_id": 1, "lines": [{"product_id": 1, "quantity": 2}]},
}
"""One row of each resource, so that there is something to read, change and refer to."""


kernel = Kernel.from_yaml(CONFIG, overrides=OVERRIDES)
app = app_of(kernel)
schema = schemathesis.openapi.from_dict(app.openapi(), config=NO_CACHE)
schema.app = app


@pytest.fixture(scope="module", autouse=True)
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example in this process, over a SQLite file; the fuzzer starts it with its first request."""
    file = tmp_path_factory.mktemp("store") / "store.db"
    settings = SqlalchemySettings(url=f"sqlite+aiosqlite:///{file}")
    port: Any = Persistence
    with kernel.override(port, provide(settings, codec=JsonCodec(), clock=SystemClock())):
        for path, row in ROWS.items():
            case = schema[path]["POST"].Case(path_parameters={"user_id": 1}, body=row, media_type="application/json")
            answer = case.call(headers=FUZZER)
            assert answer.status_code == 201, answer.text
        yield file
        shutdown_lifespans()


def test_no_two_schemas_have_one_title() -> None:
    """Generators of clients call their classes by the title, and leave out what has one that is taken."""
    schemas = app.openapi()["components"]["schemas"]
    assert {name: held["title"] for name, held in schemas.items()} == {name: name for name in schemas}
    assert {"Product", "Product_fields", "Order", "Order_with_lines"} <= schemas.keys()


def excluded(case: schemathesis.Case[Any]) -> list[Any]:
    """The checks that do not hold for a request: neither rules nor the version of a row are in a schema, and what the
    fuzzer means as null is the text ``null`` in an address."""
    refusable = case.operation.label in WITH_RULES or "If-Match" in (case.headers or {})
    nulls = None in (case.query or {}).values()
    return [*([positive_data_acceptance] if refusable else []), *([negative_data_rejection] if nulls else [])]


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=LENIENT)
def test_no_request_has_an_answer_that_is_not_documented(case: schemathesis.Case[Any]) -> None:
    """No 5xx, no undocumented status, header or body; what fits the schema is accepted, what does not is refused."""
    with_new_key(case)
    case.call_and_validate(headers=FUZZER, excluded_checks=excluded(case))


def test_no_sequence_of_requests_has_an_answer_that_is_not_documented(served: Path) -> None:
    """What was created can be read, what was deleted is gone, over any chain of linked operations."""
    begin = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(served)) as live:
        live.backup(begin)

    class Workflow(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            # The fuzzer repeats sequences, and takes it for a fault of its own where they go another way.
            with closing(sqlite3.connect(served, timeout=30)) as live:
                begin.backup(live)

        def before_call(self, case: schemathesis.Case[Any]) -> None:
            with_new_key(case)

        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {"headers": FUZZER}

        def validate_response(self, response: Any, case: schemathesis.Case[Any], **kwargs: Any) -> None:
            case.validate_response(response, excluded_checks=excluded(case))

    Workflow.run(
        settings=settings(max_examples=15, stateful_step_count=8, deadline=None, suppress_health_check=LENIENT)
    )
