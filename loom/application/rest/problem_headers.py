"""Headers that answers to errors carry beside their problem document: one table from the error tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from loom.application.rest.idempotency import RequestUnderWay
from loom.domain.errors import Forbidden, TooManyRequests, Unauthenticated, Unavailable

_NONE: Mapping[str, str] = {}


def headers_of(error: BaseException) -> Mapping[str, str]:
    """The headers of an error's answer, by lower-case name."""
    for base in type(error).__mro__:
        if base in _HEADERS:
            return _HEADERS[base](error)
    return _NONE


def _insufficient(error: Forbidden) -> Mapping[str, str]:
    if not error.missing:
        return _NONE
    return {"www-authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(error.missing)}"'}


_HEADERS: Mapping[type, Callable[[Any], Mapping[str, str]]] = {
    # RFC 9110, 15.5.2: a 401 must say what would be accepted. RFC 6750, 3 has the parameters.
    Unauthenticated: lambda error: {"www-authenticate": error.challenge},
    Forbidden: _insufficient,
    RequestUnderWay: lambda error: {"retry-after": "1"},
    TooManyRequests: lambda error: {"retry-after": str(max(1, math.ceil(error.retry_after)))},
    # Nobody knows when a server comes back; a second keeps clients from asking in a loop.
    Unavailable: lambda error: {"retry-after": "1"},
}
