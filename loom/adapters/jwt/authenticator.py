"""Bearer tokens (RFC 6750) that are JSON Web Tokens (RFC 7519)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jwt

from loom.adapters.jwt.keys import Keys
from loom.adapters.jwt.settings import JwtSettings
from loom.domain.context import Principal
from loom.domain.errors import Unauthenticated
from loom.ports.security import SecurityScheme

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_LONGEST = 16_384

# What is told of a refusal. Anything else is told as little as it can be.
_REASONS: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not good yet",
    jwt.InvalidAudienceError: "the token is for another audience",
    jwt.InvalidIssuerError: "the token is from another issuer",
    jwt.MissingRequiredClaimError: "the token lacks a claim that is required",
}


class JwtAuthenticator:
    """Takes ``Authorization: Bearer <token>``, and believes what a good token says.

    A token must be signed with one of the declared algorithms, and hold ``sub`` and ``exp``.
    """

    scheme = SecurityScheme(name="bearer", definition={"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})

    def __init__(self, settings: JwtSettings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._algorithms = list(settings.algorithms)

    async def authenticate(self, headers: Mapping[str, str]) -> Principal | None:
        """See ``Authenticator``."""
        given = headers.get("authorization")
        if given is None:
            return None
        found = _BEARER.fullmatch(given)
        if found is None or len(given) > _LONGEST:
            raise _refused("the header is not one bearer token")
        claims = self._claims(found[1])
        return Principal(subject=claims["sub"], claims=claims, grants=frozenset(self._grants(claims)))

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._keys.find(kid)
            if key is None:
                raise _refused("the token is signed with a key that is not known")
            return jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=self._settings.audience or None,
                issuer=self._settings.issuer or None,
                leeway=self._settings.leeway,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise _refused(_REASONS.get(type(error), "the token is not valid")) from error
        except (TypeError, ValueError, OverflowError) as error:  # claims of a type that nobody expects
            raise _refused("the token is not valid") from error

    def _grants(self, claims: Mapping[str, Any]) -> Iterator[str]:
        for name in self._settings.grants:
            held = claims.get(name, ())
            if isinstance(held, str):
                yield from held.split()
            elif isinstance(held, list):
                yield from (item for item in held if isinstance(item, str))


def _refused(reason: str) -> Unauthenticated:
    challenge = f'Bearer error="invalid_token", error_description="{reason}"'
    return Unauthenticated(reason, remedy="send a new one", challenge=challenge)
