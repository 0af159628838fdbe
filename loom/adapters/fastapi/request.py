"""From an ASGI request to values: headers, path, query string and body, each read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import attrs
from starlette.types import Receive, Scope

from loom.application.compile import meant
from loom.application.conversion.faults import Faults, below
from loom.application.rest.plan import HeaderPlan, ParameterPlan
from loom.application.rest.problems import BodyTooLarge, Located, UnsupportedMedia
from loom.domain.context import CORRELATION_HEADER, Context
from loom.domain.errors import FieldError
from loom.domain.trace import TRACEPARENT_HEADER, TRACESTATE_HEADER, Trace

_CORRELATION = CORRELATION_HEADER.encode()
_PARENT = TRACEPARENT_HEADER.encode()
_STATE = TRACESTATE_HEADER.encode()
_OF_CONTEXT = frozenset((_CORRELATION, _PARENT, _STATE))
_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_PARAMETERS = 200


class Disconnected(Exception):
    """The client went away before its request was complete: nobody is left to answer."""


def context_of(scope: Scope) -> Context:
    """The context of a request: its trace goes on where it sent one (W3C Trace Context), else one begins.

    Its correlation id is the one that it sent where that is sane, else the id of the trace.
    """
    for name, _ in scope["headers"]:
        if name in _OF_CONTEXT:
            return _context_given(scope)
    trace = Trace.begin()
    return Context(correlation_id=trace.trace_id, trace=trace)


def _context_given(scope: Scope) -> Context:
    correlation = parent = state = ""
    for name, value in scope["headers"]:
        if name == _CORRELATION and _SAFE_ID.fullmatch(value):
            correlation = value.decode("ascii")
        elif name == _PARENT:
            # Two of them make neither good (section 3.2).
            parent = "twice" if parent else value.decode("latin-1")
        elif name == _STATE:
            state = f"{state},{value.decode('latin-1')}" if state else value.decode("latin-1")
    trace = (Trace.continued(parent, state) if parent else None) or Trace.begin()
    return Context(correlation_id=correlation or trace.trace_id, trace=trace)


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The body of a request that is to hold JSON.

    Args:
        scope: of the request.
        receive: of the request.
        limit: most bytes.

    Raises:
        UnsupportedMedia: the content type is not JSON.
        BodyTooLarge: it has, or says that it has, more bytes than the limit.
        Disconnected: the client went away.
    """
    headers = dict(scope["headers"])
    if headers.get(b"content-type") != b"application/json":
        _require_json(headers.get(b"content-type", b""))
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        # The usual case: one message holds it all.
        return _within(message.get("body", b""), limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)
        message = await receive()


@attrs.frozen(eq=False, repr=False)
class PathReader:
    """Reads the parameters of a path. ``names`` are those of the served template, in the order of the plans."""

    names: tuple[str, ...]
    plans: tuple[ParameterPlan, ...]

    def read(self, given: Mapping[str, str], found: dict[str, Any], faults: list[Located]) -> None:
        """Put the values into ``found`` by their own names, and what is wrong into ``faults``."""
        for name, plan in zip(self.names, self.plans, strict=True):
            text = given[name]
            if not text.isascii() and _LONE_SURROGATE.search(text):
                error = FieldError(path=(plan.name,), message="must be percent-encoded UTF-8", code="format")
                faults.append(Located(part="path", error=error))
            else:
                _take(plan, plan.read, text, "path", found, faults)


class QueryReader:
    """Reads the query string of one route, and refuses what the route does not know."""

    def __init__(self, plans: Sequence[ParameterPlan]) -> None:
        self._plans = {plan.name: plan for plan in plans}
        self._required = tuple(plan.name for plan in plans if plan.required)

    def read(self, text: bytes, found: dict[str, Any], faults: list[Located]) -> None:
        """Put the values into ``found``, and what is wrong into ``faults``."""
        given: dict[str, list[str]] = {}
        for name, value in self._pairs(text, faults):
            given.setdefault(name, []).append(value)
        for name, values in given.items():
            plan = self._plans.get(name)
            if plan is None:
                faults.append(_fault(name, meant("unknown parameter", name, self._plans), "unknown"))
            elif plan.repeated:
                _take(plan, _each(plan.read), values, "query", found, faults)
            elif len(values) > 1:
                faults.append(_fault(name, "is given more than once", "repeated"))
            else:
                _take(plan, plan.read, values[0], "query", found, faults)
        faults.extend(_fault(name, "is required", "required") for name in self._required if name not in given)

    def _pairs(self, text: bytes, faults: list[Located]) -> Iterable[tuple[str, str]]:
        if not text:
            return ()
        try:
            return parse_qsl(
                text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
            )
        except ValueError:
            message = f"must be percent-encoded UTF-8 with at most {_MOST_PARAMETERS} parameters"
            faults.append(Located(part="query", error=FieldError(path=(), message=message, code="format")))
            return ()


class HeaderReader:
    """Reads the headers that one use case asks for."""

    def __init__(self, plans: Sequence[HeaderPlan]) -> None:
        self._plans = tuple((held.name.lower().encode("ascii"), held) for held in plans)

    def read(self, headers: Iterable[tuple[bytes, bytes]], found: dict[str, Any], faults: list[Located]) -> None:
        """Put the values into ``found`` by their parameters' names, and what is wrong into ``faults``."""
        given: dict[bytes, list[str]] = {}
        for name, value in headers:
            given.setdefault(name, []).append(value.decode("latin-1"))
        for name, held in self._plans:
            # Several fields of one name are one list (RFC 9110, 5.3).
            text = ", ".join(given[name]) if name in given else None
            plan = held.parameter
            if text is not None:
                self._take(held, text, found, faults)
            elif plan.required:
                faults.append(_header_fault(held, FieldError(path=(), message="is required", code="required")))

    def _take(self, held: HeaderPlan, text: str, found: dict[str, Any], faults: list[Located]) -> None:
        plan = held.parameter
        try:
            if plan.repeated:
                found[plan.name] = [plan.read(item.strip()) for item in text.split(",") if item.strip()]
            else:
                found[plan.name] = plan.read(text)
        except Faults as error:
            faults.extend(_header_fault(held, fault) for fault in below(held.name, error))


def _header_fault(held: HeaderPlan, fault: FieldError) -> Located:
    return Located(part="header", error=attrs.evolve(fault, path=(held.name, *fault.path[1:])))


def _take(
    plan: ParameterPlan,
    read: Callable[[Any], Any],
    text: Any,
    part: str,
    found: dict[str, Any],
    faults: list[Located],
) -> None:
    try:
        found[plan.name] = read(text)
    except Faults as error:
        faults.extend(Located(part=part, error=fault) for fault in below(plan.name, error))


def _each(read: Callable[[str], Any]) -> Callable[[list[str]], list[Any]]:
    return lambda texts: [read(text) for text in texts]


def _fault(name: str, message: str, code: str) -> Located:
    return Located(part="query", error=FieldError(path=(name,), message=message, code=code))


def _require_json(content_type: bytes) -> None:
    # Types that end in +json mean more than their JSON: what a merge patch (RFC 7396) or a JSON patch (RFC 6902) says
    # of a row is not what a plain object says.
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMedia("the body is not declared as JSON", remedy="send Content-Type: application/json")


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is longer than {limit} bytes", remedy="send less at once")
