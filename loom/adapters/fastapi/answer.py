"""From results and errors to ASGI responses, each encoded once."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

import attrs
from starlette.types import Scope, Send

from loom.application.rest.declare import PaginationMode
from loom.application.rest.pages import Pager
from loom.application.rest.plan import Reply, ReplyPlan, RoutePlan
from loom.application.rest.problem_headers import headers_of
from loom.application.rest.problems import PROBLEM_TYPE, problem_of, told
from loom.application.usecase.created import Created
from loom.domain.context import CORRELATION_HEADER, Context
from loom.domain.query import Page, Query
from loom.domain.trace import TRACEPARENT_HEADER
from loom.ports.codec import Codec

Header = tuple[bytes, bytes]
Write = Callable[[Any, Scope, Query], "Answer"]
"""Turns the result of a use case into an answer. Only a page looks at the query."""

_LOG = logging.getLogger("loom.rest")
_CORRELATION = CORRELATION_HEADER.encode()
_WITHOUT_BODY = (204, 304)
_PARENT = TRACEPARENT_HEADER.encode()
# Reserved characters and the percent sign (RFC 3986): they stand in an address as they are.
_URI = ":/?#[]@!$&'()*+,;=%~"
_PLAIN = re.compile(f"[A-Za-z0-9_.{re.escape(_URI)}-]*", re.ASCII)


GONE: Final = 499
"""Status under which a request is counted whose client went away before it was answered."""


class Response(Protocol):
    """Protocol of what an operation answers."""

    @property
    def status(self) -> int:
        """Of the answer; ``GONE`` while it may still turn out to be another."""

    async def send(self, scope: Scope, send: Send, context: Context) -> None:
        """Send it. What it raises before the first message becomes a problem document."""


@attrs.define(eq=False, repr=False)
class Answer:
    """A whole response but for the headers that every response has.

    Nobody changes one. It is not frozen because that makes its making, which every request pays, three times as long.
    """

    status: int
    body: bytes
    headers: Sequence[Header] = ()

    async def send(self, scope: Scope, send: Send, context: Context) -> None:
        """Send it; to ``HEAD`` without its body."""
        body = self.body
        start = self.start(context)
        if self.status not in _WITHOUT_BODY:
            start["headers"].append((b"content-length", b"%d" % len(body)))
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def start(self, context: Context) -> dict[str, Any]:
        """The message that a response begins with, without the length of its body."""
        headers: list[Header] = [(_CORRELATION, context.correlation_id.encode("ascii")), *self.headers]
        if context.trace is not None:
            headers.append((_PARENT, context.trace.parent.encode("ascii")))
        return {"type": "http.response.start", "status": self.status, "headers": headers}


def writer(route: RoutePlan, codec: Codec, pager: Pager | None) -> Write:
    """The function that writes the successful answers of a route."""
    reply = route.reply
    if reply.kind is Reply.EMPTY:
        empty = Answer(reply.status, b"")
        return lambda result, scope, query: empty
    headers = ((b"content-type", codec.content_type.encode("ascii")),)
    if route.page is not None and pager is not None:
        return _paged(reply.status, route.page.mode, pager, codec, headers)
    if reply.location is not None or reply.created:
        return _created(reply, codec, headers)
    encode, status = codec.encode, reply.status
    return lambda result, scope, query: Answer(status, encode(result), headers)


def error_answer(error: BaseException, correlation_id: str, parts: Mapping[str, str]) -> Answer:
    """The problem document of an error; see ``problem_of``. A fault of the server is logged with its cause."""
    document = problem_of(error, correlation_id, parts)
    extra = {"correlation_id": correlation_id}
    if told(error) is not error and document["status"] < 500:
        # The client is told what it did; that its error was caught is a mistake of the use case, for its author.
        _LOG.warning("%s", error, extra=extra)
        error = told(error)
    if document["status"] == 500:
        _LOG.error("request failed: %s", error, exc_info=error, extra=extra)
    elif document["status"] > 500:
        # A part that does not answer, or a drain: many requests end so, and no line of this program is at fault.
        _LOG.warning("request failed: %s", error, extra=extra)
    headers = [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers_of(error).items()]
    return problem_answer(document, headers)


def problem_answer(document: dict[str, Any], headers: Sequence[Header] = ()) -> Answer:
    """The answer of a problem document."""
    body = json.dumps(document, separators=(",", ":")).encode("ascii")
    return Answer(document["status"], body, ((b"content-type", PROBLEM_TYPE.encode("ascii")), *headers))


def _created(reply: ReplyPlan, codec: Codec, headers: Sequence[Header]) -> Write:
    locate = reply.location

    def row(result: Any, scope: Scope, query: Query) -> Answer:
        return located(result, locate(result) if locate else "", scope)

    def created(result: Created[Any], scope: Scope, query: Query) -> Answer:
        path = result.location or (locate(result.value) if locate else "")
        return located(result.value, path, scope)

    def located(value: Any, path: str, scope: Scope) -> Answer:
        body = codec.encode(value)
        if not path:
            return Answer(reply.status, body, headers)
        if path.startswith("/"):
            path = scope.get("root_path", "") + path
        if not _PLAIN.fullmatch(path):
            # What a use case says is percent-encoded where it is not ASCII, as the paths of rows are.
            path = quote(path, safe=_URI)
        return Answer(reply.status, body, (*headers, (b"location", path.encode("ascii"))))

    return created if reply.created else row


def _paged(status: int, mode: PaginationMode, pager: Pager, codec: Codec, headers: Sequence[Header]) -> Write:
    if mode is PaginationMode.OFFSET:
        return lambda page, scope, query: Answer(
            status, codec.encode({"items": page.items, "total": page.total}), headers
        )

    def write(page: Page[Any], scope: Scope, query: Query) -> Answer:
        body = {"items": page.items, "next_cursor": pager.following(query, page)}
        return Answer(status, codec.encode(body), headers)

    return write
