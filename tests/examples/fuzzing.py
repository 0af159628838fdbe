"""What the fuzzers of all examples have in common."""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck
from schemathesis.config import CacheConfig, SchemathesisConfig

from loom.application.rest.idempotency import KEY_HEADER, KEY_PATTERN

LENIENT: Final = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
# Without it failures would be kept in the working folder.
NO_CACHE: Final = SchemathesisConfig(cache=CacheConfig(enabled=False))


def with_new_key(case: schemathesis.Case[Any]) -> None:
    """No two requests share an idempotency key: a fuzzer likes to send the same one with another body."""
    key = case.headers.get(KEY_HEADER) if case.headers else None
    if key is not None and re.fullmatch(KEY_PATTERN, key):
        case.headers[KEY_HEADER] = uuid.uuid4().hex
