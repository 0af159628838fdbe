"""Idempotency keys: a request that is sent again with its key is answered again, and not done again.

The header is that of draft-ietf-httpapi-idempotency-key-header. A key belongs to one caller: two of them may use the
same. It is kept with the change itself, in one transaction, so that neither is there without the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from loom.application.compile import Issues
from loom.application.rest.declare import Idempotency, RestInterface
from loom.application.rest.plan import Reply
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import UseCasePlan
from loom.domain.context import Context
from loom.domain.errors import Conflict, FieldError, InvalidInput, MalformedInput, Place

KEY_HEADER: Final = "Idempotency-Key"
KEY_PATTERN: Final = "^[!-~]{1,255}$"
_KEY: Final = re.compile(rb"[!-~]{1,255}")
_NAME: Final = KEY_HEADER.lower().encode("ascii")
_AT_ONCE: Final = 1_000


class KeyRefused(MalformedInput):
    """The header with the idempotency key is missing where it must be, or is no key."""

    code = "LOOM-REST-KEY"


class KeyReused(InvalidInput):
    """The key came before with another request."""

    code = "LOOM-REST-KEY-REUSED"

    def __init__(self) -> None:
        message = "came before with another request; take a new key for each request"
        super().__init__([FieldError(path=(KEY_HEADER,), message=message, code="reused")], subject="request")


class RequestUnderWay(Conflict):
    """A request with this key is being worked on, and was so for as long as this one could wait."""

    code = "LOOM-REST-UNDERWAY"

    def __init__(self) -> None:
        super().__init__("a request with this Idempotency-Key is still being worked on", remedy="send it again later")


class ExpireAnswers(UseCase[None, int]):
    """Forget answers whose lifetime is over; returns how many. Runs by itself between requests with keys."""

    async def execute(self) -> int:
        return await self._scope().unit.answers.expire(_AT_ONCE)


def compile_idempotency(
    method: str, plan: UseCasePlan, kind: Reply, interface: type[RestInterface[object]], where: Place, issues: Issues
) -> Idempotency:
    """What a route does with keys: only what creates something has a use for them.

    An answer that is streamed is not there as a whole when its transaction ends, so that it cannot be kept; to require
    keys all the same is an issue.
    """
    if method != "POST" or plan.read_only:
        return Idempotency.OFF
    if kind is not Reply.STREAM:
        return interface.idempotency
    if interface.idempotency is Idempotency.REQUIRED:
        issues.add(
            "LOOM-REST-071",
            where,
            f"idempotency is REQUIRED, but the answer of {plan.name} is streamed and cannot be kept for its key",
            "return a list, set read_only = True, or give the route an interface of its own",
        )
    return Idempotency.OFF


def read_key(headers: Iterable[tuple[bytes, bytes]], *, required: bool) -> bytes | None:
    """The key among the headers of a request.

    Raises:
        KeyRefused: it is required and missing, there are several, or it is none.
    """
    given = [value for name, value in headers if name == _NAME]
    if not given:
        if required:
            raise KeyRefused(f"the header {KEY_HEADER} is required", remedy="send a new UUID with each new request")
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise KeyRefused(
            f"the header {KEY_HEADER} is no key", remedy="send it once, with 1 to 255 visible ASCII characters"
        )
    return given[0]


def stored_key(key: bytes, context: Context, claims: Sequence[tuple[str, ...]] = ()) -> str:
    """What a caller's key is kept under.

    Args:
        key: as it was sent.
        context: says who calls.
        claims: the paths of the claims that tell callers of one subject apart: one who acts for two tenants is two.
    """
    principal = context.principal
    if principal is None:
        return _digest(b"", key)
    told = json.dumps([_claim(principal.claims, path) for path in claims], sort_keys=True, default=str)
    return _digest(principal.subject.encode("utf-8", "surrogatepass"), told.encode("ascii"), key)


def fingerprint(*parts: bytes) -> str:
    """What tells one request from another: its method, path, query string and body."""
    return _digest(*parts)


def _claim(claims: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = claims
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _digest(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        # The length keeps the parts apart.
        found.update(b"%d:%b" % (len(part), part))
    return found.hexdigest()
