"""Errors as problem documents (RFC 9457): one table from the error tree to status codes."""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from loom.domain.errors import (
    Conflict,
    DeadlineExceeded,
    FieldError,
    Forbidden,
    InvalidInput,
    LoomError,
    MalformedInput,
    NotFound,
    PreconditionFailed,
    RuleViolations,
    ScopeFailed,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

PROBLEM_TYPE = "application/problem+json"


class BodyTooLarge(LoomError):
    """The body has more bytes than the application takes."""

    code = "LOOM-REST-BODY"


class UnsupportedMedia(LoomError):
    """The body is not declared as JSON."""

    code = "LOOM-REST-MEDIA"


class UnknownCursor(NotFound):
    """A cursor that leads to no page. It has the shape of one, as any text has, so it is not invalid but unknown."""

    code = "LOOM-REST-CURSOR"

    def __init__(self) -> None:
        super().__init__("page", "cursor")


class PreconditionRequired(LoomError):
    """The resource is changed only by requests that say which version they change (RFC 6585)."""

    code = "LOOM-REST-IF-MATCH"

    def __init__(self) -> None:
        super().__init__(
            "a change of this resource needs the header If-Match", remedy="send the ETag of the version that was read"
        )


class ItemConflicts(Conflict):
    """Items of a list that conflict with what is stored or with each other; all that are known."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        fields = dict.fromkeys(str(error.path[-1]) for error in errors)
        super().__init__(f"{len(self.errors)} values of the list conflict with others", fields=list(fields))


class ItemsNotFound(NotFound):
    """Items of a list that name rows which do not exist; all of them."""

    def __init__(self, what: str, positions: Sequence[int]) -> None:
        super().__init__(what, tuple(positions))
        self.errors = tuple(
            FieldError(path=(position,), message="does not exist", code="not-found") for position in positions
        )


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Located:
    """A field error with the part of the request that it stands in: ``body``, ``query``, ``path`` or ``header``."""

    part: str
    error: FieldError


class InvalidRequest(InvalidInput):
    """A request whose path, query string or body do not have the declared shape; every fault of all three."""

    def __init__(self, located: Sequence[Located]) -> None:
        self.located = tuple(located)
        super().__init__([fault.error for fault in located], subject="request")


STATUS: Mapping[type[LoomError], int] = {
    MalformedInput: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    BodyTooLarge: 413,
    UnsupportedMedia: 415,
    InvalidInput: 422,
    RuleViolations: 422,
    PreconditionRequired: 428,
    TooManyRequests: 429,
    Unavailable: 503,
    DeadlineExceeded: 504,
}
"""Everything else that a use case raises is a fault of the server: 500."""


def status_of(error: type[BaseException]) -> int:
    """The status of an error class: that of its nearest base in ``STATUS``, else 500."""
    return next((STATUS[base] for base in error.__mro__ if base in STATUS), 500)


def phrase(status: int) -> str:
    """The phrase of a status (RFC 9110), whatever this Python still calls it."""
    return _PHRASES.get(status) or http.HTTPStatus(status).phrase


_PHRASES: Mapping[int, str] = {413: "Content Too Large", 422: "Unprocessable Content"}


def problem(
    status: int, detail: str, *, code: str, correlation_id: str, errors: Sequence[Located] = ()
) -> dict[str, Any]:
    """A problem document. ``type`` is ``about:blank``, so ``title`` is the phrase of the status (RFC 9457, 4.2.1)."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": phrase(status),
        "status": status,
        "detail": detail,
        "code": code,
        "correlation_id": correlation_id,
    }
    if errors:
        document["errors"] = [
            {
                "in": located.part,
                "pointer": located.error.pointer,
                "detail": located.error.message,
                "code": located.error.code,
            }
            for located in errors
        ]
    return document


def told(error: BaseException) -> BaseException:
    """The error that a client is told of: of a unit of work that failed after its first error was caught, that one."""
    cause = error.__cause__
    return told(cause) if isinstance(error, ScopeFailed) and cause is not None else error


def problem_of(error: BaseException, correlation_id: str, parts: Mapping[str, str] = {}) -> dict[str, Any]:
    """The problem document of an error. What is a fault of the server keeps its text for the log.

    Args:
        error: anything that a request ended with.
        correlation_id: of the request.
        parts: where the parameters of the operation stand, by name; what is not among them stands in the body.
    """
    error = told(error)
    status = status_of(type(error))
    if status >= 500 or not isinstance(error, LoomError):
        code = error.code if isinstance(error, LoomError) and status > 500 else "LOOM-500"
        return problem(status, _SERVER_FAULTS[status], code=code, correlation_id=correlation_id)
    located = _located(error, parts)
    return problem(status, _detail(error), code=error.code, correlation_id=correlation_id, errors=located)


_SERVER_FAULTS: Mapping[int, str] = {
    500: "the server failed to answer; its log has the reason",
    503: "a part that the server depends on does not answer; try again later",
    504: "the work took longer than it is allowed to",
}


def _detail(error: LoomError) -> str:
    if isinstance(error, InvalidInput):
        return "the request does not have the declared shape"
    if isinstance(error, RuleViolations):
        return "rules do not hold"
    if isinstance(error, ItemsNotFound):
        return f"items of the list name a {error.what} that does not exist"
    if isinstance(error, UnknownCursor):
        return "the cursor leads to no page of this list"
    return str(error)


def _located(error: LoomError, parts: Mapping[str, str]) -> Sequence[Located]:
    if isinstance(error, InvalidRequest):
        return error.located
    if isinstance(error, UnknownCursor):
        return [Located(part="query", error=_CURSOR_FAULT)]
    return [Located(part=_part(fault, parts), error=fault) for fault in _faults(error)]


def _faults(error: LoomError) -> Sequence[FieldError]:
    if isinstance(error, InvalidInput | RuleViolations | ItemConflicts | ItemsNotFound):
        return error.errors
    if isinstance(error, Conflict):
        return [
            FieldError(path=(name,), message="conflicts with what is stored", code="conflict") for name in error.fields
        ]
    return ()


def _part(fault: FieldError, parts: Mapping[str, str]) -> str:
    return parts.get(str(fault.path[0]), "body") if fault.path else "body"


_CURSOR_FAULT = FieldError(
    path=("cursor",), message="is not a cursor of this list, or no longer one; begin again without it", code="cursor"
)
