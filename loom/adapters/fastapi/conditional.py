"""Conditional requests: ``If-Match`` on the way in, ``ETag`` and ``304 Not Modified`` on the way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from starlette.types import Scope

from loom.adapters.fastapi.answer import Answer, Write
from loom.application.rest.plan import RoutePlan
from loom.application.rest.preconditions import entity_tag, expected_version, is_current
from loom.application.rest.problems import PreconditionRequired
from loom.domain.errors import PreconditionFailed
from loom.domain.query import Query

_IF_MATCH = b"if-match"
_IF_NONE_MATCH = b"if-none-match"
_READ = ("GET", "HEAD")


@attrs.frozen(eq=False, repr=False)
class Expectation:
    """What a route that writes does with ``If-Match``. ``name`` is the parameter of the use case that takes the
    version."""

    name: str
    required: bool

    def read(self, scope: Scope, params: dict[str, Any]) -> None:
        """Put the expected version among the parameters.

        Raises:
            MalformedInput: the header is no list of entity tags.
            PreconditionFailed: the route compares no version, so that no condition but ``*`` can be held.
            PreconditionRequired: there must be a header, and is none.
        """
        text = _header(scope["headers"], _IF_MATCH)
        if text is None:
            if self.required:
                raise PreconditionRequired
            return
        version = expected_version(text)
        if self.name:
            params[self.name] = version
        elif version is not None:
            raise PreconditionFailed(
                "this operation compares no version, so nothing was done", remedy="send it without If-Match"
            )


def expectation_of(route: RoutePlan) -> Expectation | None:
    """What a route does with ``If-Match``; ``None`` where it only reads."""
    return None if route.use_case.read_only else Expectation(route.expected, route.if_match_required)


def tagged(route: RoutePlan, write: Write) -> Write:
    """The function that writes the answers of a route, with the ``ETag`` of the row; ``304`` to a client that has it.

    It raises ``MalformedInput`` where ``If-None-Match`` is no list of entity tags.
    """
    name, created = route.reply.version, route.reply.created
    if not name:
        return write

    def written(result: Any, scope: Scope, query: Query) -> Answer:
        text = _header(scope["headers"], _IF_NONE_MATCH) if scope["method"] in _READ else None
        if scope["query_string"]:
            if text is not None:
                # It can name no tag of this answer; that it is no list of tags is told all the same.
                is_current(text, "")
            return write(result, scope, query)
        tag = entity_tag(getattr(result.value if created else result, name))
        header = (b"etag", tag.encode("ascii"))
        if text is not None and is_current(text, tag):
            return Answer(304, b"", (header,))
        answer = write(result, scope, query)
        return Answer(answer.status, answer.body, (*answer.headers, header))

    return written


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    """The header of that name; several are one list (RFC 9110, 5.3)."""
    given = [value for name, value in headers if name == wanted]
    return b",".join(given).decode("latin-1") if given else None
