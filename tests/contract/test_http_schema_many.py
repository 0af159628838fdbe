"""The fuzzer over what the shop does not have: bulk routes, export, sparse fields, required idempotency keys."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import CacheConfig, SchemathesisConfig

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.system.clock import SystemClock
from loom.application.rest.idempotency import KEY_HEADER, KEY_PATTERN
from loom.application.usecase.executor import Executor
from loom.rest import Idempotency, RestInterface
from tests.unit.rest.rest_shop import NothingBound, Product, Rate, compiled


class Products(RestInterface[Product]):
    prefix = "/products"
    auto = True
    bulk = ("create", "update", "delete")
    bulk_size = 5
    export = True
    filters = ("sku", "stock")
    sorts = ("stock",)
    fields = ("sku", "name", "price", "released")


class Rates(RestInterface[Rate]):
    prefix = "/rates"
    auto = True
    bulk = ("create", "delete")
    idempotency = Idempotency.REQUIRED
    fields = ("percent",)


def application() -> Any:
    codec, clock = JsonCodec(), SystemClock()
    store = MemoryPersistence(codec=codec, clock=clock)
    asyncio.run(store.start((Product, Rate)))
    executor = Executor(persistence=store, resolver=NothingBound(), codec=codec, clock=clock)
    return FastapiShell(FastapiSettings(), codec).build(compiled([Products, Rates]), executor)


schema = schemathesis.openapi.from_asgi(
    "/openapi.json", application(), config=SchemathesisConfig(cache=CacheConfig(enabled=False))
)


@schema.include(path_regex="bulk|export|^/products|^/rates").parametrize()
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
def test_no_request_has_an_answer_that_is_not_documented(case: schemathesis.Case[Any]) -> None:
    """No 5xx, no undocumented status or body; what fits the schema is accepted, what does not is refused."""
    key = case.headers.get(KEY_HEADER) if case.headers else None
    if key is not None and re.fullmatch(KEY_PATTERN, key):
        case.headers[KEY_HEADER] = uuid.uuid4().hex
    case.call_and_validate()
