"""Fixed bearer tokens: the fake that tests use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from loom.domain.context import Principal
from loom.domain.errors import Unauthenticated
from loom.ports.security import SecurityScheme


class MemoryAuthenticator:
    """Takes ``Authorization: Bearer <token>`` and knows the holders of these tokens.

    ``add`` and ``remove`` change them while it is in use.
    """

    scheme = SecurityScheme(name="bearer", definition={"type": "http", "scheme": "bearer"})

    def __init__(self, holders: Mapping[str, Principal] | None = None) -> None:
        self._holders: dict[bytes, Principal] = {}
        for token, holder in (holders or {}).items():
            self.add(token, holder)

    def add(self, token: str, holder: Principal) -> None:
        """Know a token from now on."""
        self._holders[_digest(token)] = holder

    def remove(self, token: str) -> None:
        """Forget a token."""
        self._holders.pop(_digest(token), None)

    async def authenticate(self, headers: Mapping[str, str]) -> Principal | None:
        """See ``Authenticator``."""
        given = headers.get("authorization")
        if given is None:
            return None
        scheme, _, token = given.partition(" ")
        holder = self._holders.get(_digest(token.strip())) if scheme.lower() == "bearer" else None
        if holder is None:
            challenge = 'Bearer error="invalid_token", error_description="the token is not known"'
            raise Unauthenticated("the token is not known", remedy="send another one", challenge=challenge)
        return holder


def _digest(token: str) -> bytes:
    # Looking up the digest takes no time that tells how much of a token was right.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
