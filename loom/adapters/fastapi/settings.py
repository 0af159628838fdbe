"""Settings of the HTTP adapter."""

from __future__ import annotations

import re
from typing import Any

import attrs

from loom.domain.frozen import frozen

_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s]+")
_positive: Any = attrs.validators.gt(0)
_positive_or_null: Any = attrs.validators.optional(_positive)


@frozen(kw_only=True)
class CorsSettings:
    """Which pages of other origins may call the API from a browser; none where there are no origins.

    Attributes:
        origins: ``https://shop.example``, or ``*`` for all.
        methods: that they may use.
        headers: that they may send.
        expose: headers of answers that they may read.
        credentials: whether cookies and client certificates go along; not with ``*``.
        max_age: seconds for which a browser may remember this.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = (
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "traceparent",
        "tracestate",
        "x-correlation-id",
    )
    expose: tuple[str, ...] = (
        "etag",
        "idempotency-replayed",
        "location",
        "retry-after",
        "traceparent",
        "x-correlation-id",
    )
    credentials: bool = False
    max_age: int = attrs.field(default=600, validator=attrs.validators.ge(0))

    def __attrs_post_init__(self) -> None:
        if self.credentials and "*" in self.origins:
            raise ValueError("credentials cannot go to every origin; name the origins")
        for origin in self.origins:
            # What a browser sends is compared as it is: anything else would never be met, and nobody would be told.
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin; write https://shop.example, without a slash at its end")


@frozen(kw_only=True)
class RateLimit:
    """How many requests one caller may send: the subject where it is known, else the address.

    Attributes:
        requests: in each period.
        period: seconds.
        burst: requests at once; as many as ``requests`` where nothing is given.
    """

    requests: int = attrs.field(validator=_positive)
    period: float = attrs.field(default=1.0, validator=_positive)
    burst: int | None = attrs.field(default=None, validator=_positive_or_null)


@frozen(kw_only=True)
class FastapiSettings:
    """How the API presents and protects itself.

    Attributes:
        title: name of the API in its OpenAPI document.
        version: version of the API in its OpenAPI document.
        description: text of the OpenAPI document, Markdown.
        docs: serve ``/docs``, ``/redoc`` and ``/openapi.json``.
        max_body_bytes: longest request body, in bytes; a longer one is answered 413.
        cursor_secret: signs page cursors. Empty means random for each process, which is right for one process only.
        idempotency_lifetime: seconds for which the answer to an ``Idempotency-Key`` is kept.
        idempotency_wait: seconds for which a request waits while another one with its key is worked on; after that it
            is answered 409.
        request_timeout: seconds that a request may take to its answer, after which its work is undone and it is
            answered 504, and that a client may take for each portion of a streamed answer; ``null`` sets no limit.
        rate_limit: requests that one caller may send, in each process; more are answered 429.
        cors: pages of other origins that may call from a browser. An application that interfaces are mounted into has
            its own.
        host: address that ``loom serve`` listens on.
        port: port that ``loom serve`` listens on.
        drain: seconds for which ``loom serve`` goes on accepting after SIGTERM while it says that it is not ready, so
            that whoever spreads the load can turn away.
        drain_timeout: seconds after those that accepted requests may take to their answers.
    """

    title: str = "loom"
    version: str = "0"
    description: str = ""
    docs: bool = True
    max_body_bytes: int = attrs.field(default=1_048_576, validator=attrs.validators.ge(0))
    cursor_secret: str = attrs.field(default="", repr=False)
    idempotency_lifetime: float = attrs.field(default=86_400.0, validator=_positive)
    idempotency_wait: float = attrs.field(default=10.0, validator=attrs.validators.ge(0))
    request_timeout: float | None = attrs.field(default=30.0, validator=_positive_or_null)
    rate_limit: RateLimit | None = None
    cors: CorsSettings = attrs.field(factory=CorsSettings)
    # An empty text is what is left of a variable that is not set, and to a socket it means every address.
    host: str = attrs.field(default="127.0.0.1", validator=attrs.validators.min_len(1))
    port: int = attrs.field(default=8000, validator=[attrs.validators.ge(0), attrs.validators.le(65535)])
    drain: float = attrs.field(default=2.0, validator=attrs.validators.ge(0))
    drain_timeout: int = attrs.field(default=30, validator=_positive)
