"""What stands before an operation: who calls, whether they may, how often, and for how long."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import attrs
from starlette.types import Receive, Scope

from loom.adapters.fastapi.answer import Response
from loom.adapters.fastapi.deadlines import Deadlines
from loom.adapters.fastapi.endpoint import Operation
from loom.application.rest.plan import RoutePlan
from loom.application.rest.rate_limit import TokenBuckets
from loom.domain.context import Context, Principal
from loom.domain.errors import TooManyRequests, Unauthenticated
from loom.ports.security import Authenticator, Authorizer, SecurityScheme


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Guards:
    """What all guarded operations share."""

    authenticator: Authenticator | None = None
    authorizer: Authorizer | None = None
    buckets: TokenBuckets | None = None
    deadlines: Deadlines | None = None

    @property
    def scheme(self) -> SecurityScheme | None:
        """How clients show who they are; ``None`` where nobody can."""
        return self.authenticator.scheme if self.authenticator is not None else None

    def before(self, operation: Operation, route: RoutePlan) -> Operation:
        """The operation behind everything that the route and the settings ask for."""
        asks = route.access.stated and not route.access.public
        if self.deadlines is None and self.buckets is None and self.scheme is None and not asks:
            return operation
        return Guarded(operation, route, self)


class Guarded:
    """An operation behind its guard. The body of a request that is refused is not read."""

    def __init__(self, operation: Operation, route: RoutePlan, guards: Guards) -> None:
        self.parts: Mapping[str, str] = operation.parts
        self._operation = operation
        self._name = route.use_case.name
        self._requires: Sequence[str] = route.access.requires
        self._guards = guards
        self._deadlines = guards.deadlines
        self._authenticator = guards.authenticator if guards.scheme is not None else None
        self._known = not route.access.public and (route.access.stated or guards.scheme is not None)
        self._challenge = _challenge(guards.scheme)
        self._admits = self._known or self._authenticator is not None or guards.buckets is not None

    def answer(self, scope: Scope, receive: Receive, context: Context) -> Coroutine[Any, Any, Response]:
        """Admit the request and let the operation answer it."""
        serve = self._admit if self._admits else self._operation.answer
        work = serve(scope, receive, context)
        # An operation that is cancelled rolls its unit of work back.
        return work if self._deadlines is None else self._deadlines.run(work, self._name)

    async def _admit(self, scope: Scope, receive: Receive, context: Context) -> Response:
        return await self._operation.answer(scope, receive, await self._admitted(scope, context))

    async def _admitted(self, scope: Scope, context: Context) -> Context:
        principal = await self._caller(scope)
        if self._guards.buckets is not None:
            self._count(self._guards.buckets, f"subject {principal.subject}" if principal else _address(scope))
        if self._known:
            if principal is None:
                raise Unauthenticated(f"{self._name} wants to know who calls", challenge=self._challenge)
            if self._guards.authorizer is not None:
                await self._guards.authorizer.authorize(principal, self._requires, self._name)
        if principal is None:
            return context
        return Context(correlation_id=context.correlation_id, principal=principal, trace=context.trace)

    async def _caller(self, scope: Scope) -> Principal | None:
        if self._authenticator is None:
            return None
        try:
            return await self._authenticator.authenticate(_headers(scope))
        except Unauthenticated:
            # Whoever tries tokens is counted as well.
            if self._guards.buckets is not None:
                self._count(self._guards.buckets, _address(scope))
            raise

    @staticmethod
    def _count(buckets: TokenBuckets, caller: str) -> None:
        wait = buckets.take(caller)
        if wait > 0:
            raise TooManyRequests("too many requests", retry_after=wait, remedy="send fewer, or wait")


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return f"address {client[0]}" if client else "address unknown"


def _challenge(scheme: SecurityScheme | None) -> str:
    if scheme is None:
        return "Bearer"
    return str(scheme.definition.get("scheme", scheme.name)).capitalize()
