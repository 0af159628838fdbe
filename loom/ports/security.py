"""Protocols of security: who calls, and whether they may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from loom.domain.context import Principal
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class SecurityScheme:
    """How a client shows who it is, for documents.

    Attributes:
        name: of the scheme in the document.
        definition: the OpenAPI 3.1 security scheme object.
    """

    name: str
    definition: Mapping[str, object]


class Authenticator(Protocol):
    """Protocol of telling from the headers of a request who sent it."""

    @property
    def scheme(self) -> SecurityScheme | None:
        """How clients show who they are; ``None`` where this authenticator never knows anybody."""

    async def authenticate(self, headers: Mapping[str, str]) -> Principal | None:
        """Who sent the headers.

        Args:
            headers: by lower-case name; a name that was sent more than once holds all values, joined by commas.

        Returns:
            The caller, or ``None`` where the headers claim nothing at all.

        Raises:
            Unauthenticated: they claim something that is not true, or not any more.
            Unavailable: a server that would know does not answer.
        """


class Authorizer(Protocol):
    """Protocol of deciding whether a caller may do something."""

    async def authorize(self, principal: Principal, requires: Sequence[str], operation: str) -> None:
        """Return where the caller may.

        Called once for each request to a route that is not public, after authentication.

        Args:
            principal: the caller.
            requires: names that the route requires, all of them; may be empty.
            operation: name of the use case behind the route.

        Raises:
            Forbidden: the caller may not.
        """
