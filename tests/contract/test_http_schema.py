"""A fuzzer reads our OpenAPI document and finds no answer that the document does not foresee."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import CacheConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.system.clock import SystemClock
from loom.application.rest.idempotency import KEY_HEADER, KEY_PATTERN
from loom.application.usecase.executor import Executor
from tests.contract.http_api import MODELS
from tests.unit.rest.rest_shop import NothingBound, compiled

# Its rule refuses what no schema can tell: pieces that make the stock overflow.
WITH_RULES = ("POST /products/{product_id}/restock",)
# Fails on purpose.
BROKEN = "/service/break"
LENIENT = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def empty_store() -> MemoryPersistence:
    store = MemoryPersistence(codec=JsonCodec(), clock=SystemClock())
    asyncio.run(store.start(MODELS))
    return store


executor = Executor(persistence=empty_store(), resolver=NothingBound(), codec=JsonCodec(), clock=SystemClock())
app = FastapiShell(FastapiSettings(), JsonCodec()).build(compiled(), executor)
# Without it failures would be kept in the working folder.
NO_CACHE = SchemathesisConfig(cache=CacheConfig(enabled=False))
schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=NO_CACHE)


def with_new_key(case: schemathesis.Case[Any]) -> None:
    """No two requests share an idempotency key: a fuzzer likes to send the same one with another body."""
    key = case.headers.get(KEY_HEADER) if case.headers else None
    if key is not None and re.fullmatch(KEY_PATTERN, key):
        case.headers[KEY_HEADER] = uuid.uuid4().hex


@schema.exclude(path=BROKEN).parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=LENIENT)
def test_no_request_has_an_answer_that_is_not_documented(case: schemathesis.Case[Any]) -> None:
    """No 5xx, no undocumented status, header or body; what fits the schema is accepted, what does not is refused."""
    with_new_key(case)
    ruled = case.operation.label in WITH_RULES
    case.call_and_validate(excluded_checks=[positive_data_acceptance] if ruled else None)


def test_no_sequence_of_requests_has_an_answer_that_is_not_documented() -> None:
    """What was created can be read, what was deleted is gone, over any chain of linked operations."""

    class Workflow(schema.exclude(path=[BROKEN, "/products/{product_id}/restock"]).as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            executor.persistence = empty_store()

        def before_call(self, case: schemathesis.Case[Any]) -> None:
            with_new_key(case)

    Workflow.run(
        settings=settings(max_examples=25, stateful_step_count=8, deadline=None, suppress_health_check=LENIENT)
    )
