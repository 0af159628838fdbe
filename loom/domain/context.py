"""Who calls and on whose behalf: the value that travels from HTTP header to the last log line."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextvars import ContextVar

import attrs

from loom.domain.frozen import frozen
from loom.domain.trace import TRACEPARENT_HEADER, TRACESTATE_HEADER, Trace

CORRELATION_HEADER = "x-correlation-id"


@frozen(kw_only=True)
class Principal:
    """Who calls.

    Attributes:
        subject: the caller's identity.
        claims: what the authentication adapter knows of the caller (tenant, name, ...).
        grants: names of what the caller may do: scopes and roles, which ``requires`` of a route asks for.
    """

    subject: str
    claims: Mapping[str, object] = attrs.field(factory=dict)
    grants: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Context:
    """What one piece of work was started with. ``trace`` is its own span, where it is part of a trace."""

    correlation_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    principal: Principal | None = None
    trace: Trace | None = None

    def headers(self) -> dict[str, str]:
        """The headers that carry this context over a topic or a job queue. They do not say who calls."""
        found = {CORRELATION_HEADER: self.correlation_id}
        if self.trace is not None:
            found[TRACEPARENT_HEADER] = self.trace.parent
            if self.trace.state:
                found[TRACESTATE_HEADER] = self.trace.state
        return found

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Context:
        """The context that the sender put into the headers, in a span of its own; a new one where it put none."""
        parent = headers.get(TRACEPARENT_HEADER)
        trace = Trace.continued(parent, headers.get(TRACESTATE_HEADER, "")) if parent else None
        found = headers.get(CORRELATION_HEADER) or (trace.trace_id if trace else "")
        return cls(correlation_id=found, trace=trace) if found else cls()


current_context: ContextVar[Context | None] = ContextVar("loom.context", default=None)
"""The context of the scope that runs now. Only the executor and the entry points set it."""
