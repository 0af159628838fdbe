"""A fuzzer reads the OpenAPI document of the flights example and finds no answer that the document does not foresee."""

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
from schemathesis.specs.openapi.checks import positive_data_acceptance

from examples.flights import api, delays, models
from loom.adapters.json.codec import JsonCodec
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.adapters.system.clock import SystemClock
from loom.core import Kernel
from loom.ports.persistence import Persistence
from loom.rest import app_of
from tests.examples.fuzzing import LENIENT, NO_CACHE, with_new_key

# Its rules refuse what no schema can tell: a delay of three days, a reason that nobody has heard of.
WITH_RULES = ("POST /delays",)

ROWS: dict[str, dict[str, Any]] = {
    "/airlines": {"carrier": "UA", "name": "United"},
    "/airports": {"faa": "EWR", "name": "Newark", "lat": 40.69, "lon": -74.17, "alt": 18, "tz": -5, "dst": "A"},
    "/flights": {
        "id": "2013010105-UA-1545",
        "year": 2013,
        "month": 1,
        "day": 1,
        "sched_dep_time": 515,
        "carrier": "UA",
        "flight": 1545,
        "origin": "EWR",
        "dest": "IAH",
        "distance": 1400,
        "time_hour": "2013-01-01T10:00:00Z",
    },
    "/delays": {"flight_id": "2013010105-UA-1545", "minutes": 11, "reason": "weather"},
}
"""One row of each resource, so that there is something to read, change and refer to."""


# The face alone: the pipeline would ask for its files.
kernel = Kernel.from_yaml(modules=[api, delays, models], overrides=["observability.log.level=critical"])
app = app_of(kernel)
schema = schemathesis.openapi.from_dict(app.openapi(), config=NO_CACHE)
schema.app = app


@pytest.fixture(scope="module", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example in this process, over SQLite; the fuzzer starts it with its first request."""
    file = tmp_path_factory.mktemp("flights") / "flights.db"
    settings = SqlalchemySettings(url=f"sqlite+aiosqlite:///{file}")
    port: Any = Persistence
    with kernel.override(port, provide(settings, codec=JsonCodec(), clock=SystemClock())):
        for path, row in ROWS.items():
            answer = schema[path]["POST"].Case(body=row, media_type="application/json").call()
            assert answer.status_code == 201, answer.text
        yield file
        shutdown_lifespans()


def empty(database: Path) -> None:
    """No rows in any table, and numbers from 1 again: what one sequence leaves behind must not lead the next one."""
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            connection.execute(f'DELETE FROM "{name}"')


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=LENIENT)
def test_no_request_has_an_answer_that_is_not_documented(case: schemathesis.Case[Any]) -> None:
    """No 5xx, no undocumented status, header or body; what fits the schema is accepted, what does not is refused."""
    with_new_key(case)
    ruled = case.operation.label in WITH_RULES
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if ruled else None)


def test_no_sequence_of_requests_has_an_answer_that_is_not_documented(database: Path) -> None:
    """What was created can be read, what was deleted is gone, over any chain of linked operations."""

    class Workflow(schema.exclude(path="/delays", method="POST").as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            empty(database)

        def before_call(self, case: schemathesis.Case[Any]) -> None:
            with_new_key(case)

    Workflow.run(
        settings=settings(max_examples=25, stateful_step_count=8, deadline=None, suppress_health_check=LENIENT)
    )
