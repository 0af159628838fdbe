"""Who calls and on whose behalf: the value that travels from HTTP header to the last log line."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextvars import ContextVar

import attrs

CORRELATION_HEADER = "x-correlation-id"


@attrs.frozen(kw_only=True)
class Principal:
    """Who calls. ``claims`` hold what the authentication adapter knows (tenant, roles, scopes)."""

    subject: str
    claims: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Context:
    """What one piece of work was started with."""

    correlation_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    principal: Principal | None = None

    def headers(self) -> dict[str, str]:
        """The headers that carry this context over a topic or a job queue."""
        return {CORRELATION_HEADER: self.correlation_id}

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Context:
        """The context that the sender put into the headers; a new one where it put none."""
        found = headers.get(CORRELATION_HEADER)
        return cls(correlation_id=found) if found else cls()


current_context: ContextVar[Context | None] = ContextVar("loom.context", default=None)
"""The context of the scope that runs now. Only the executor and the entry points set it."""
