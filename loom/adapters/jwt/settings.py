"""Settings of the bearer-token adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from loom.domain.frozen import frozen

Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
"""What a token may be signed with. ``none`` is not among them and never will be."""

_LEAST_SECRET = {"HS256": 32, "HS384": 48, "HS512": 64}
_KEYS = ("secret", "public_key", "jwks", "jwks_file")


@frozen(kw_only=True)
class JwtSettings:
    """Which tokens are good, and what is read from them. One key is given: a secret, a public key, or a key set.

    Attributes:
        algorithms: the signatures that are accepted; what a token says about itself decides nothing. Secrets and
            public keys never mix, so that a public key cannot be taken for a secret.
        secret: shared secret of HS256 (at least 32 bytes), HS384 (48) or HS512 (64).
        public_key: PEM text of one public key.
        jwks: a JSON Web Key Set; tokens name their key by ``kid``.
        jwks_file: path of a file that holds one; it is read again when a token names an unknown key and the file has
            changed, so that keys can be rotated while the service runs.
        audience: a token must name one of these in ``aud``; where none is given, a token with an audience is refused.
        issuer: a token must name it in ``iss``; empty accepts any.
        leeway: seconds by which clocks may differ.
        grants: claims that name what the caller may do; each holds a list, or names in one text with spaces.
    """

    algorithms: tuple[Algorithm, ...]
    secret: str = attrs.field(default="", repr=False)
    public_key: str = ""
    jwks: Mapping[str, Any] | None = None
    jwks_file: str = ""
    audience: tuple[str, ...] = ()
    issuer: str = ""
    leeway: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))
    grants: tuple[str, ...] = ("scope", "scp", "roles")

    def __attrs_post_init__(self) -> None:
        given = [name for name in _KEYS if getattr(self, name)]
        if len(given) != 1:
            told = f"{' and '.join(given)} are given" if given else "none is given"
            raise ValueError(f"one of {', '.join(_KEYS)} is needed; {told}")
        if not self.algorithms:
            raise ValueError("algorithms must name at least one")
        shared = [name for name in self.algorithms if name in _LEAST_SECRET]
        if self.secret and len(shared) < len(self.algorithms):
            raise ValueError("a secret goes with HS256, HS384 or HS512; other algorithms take a public key")
        if shared and not self.secret:
            raise ValueError(f"{', '.join(shared)} takes a secret, not a public key")
        least = max((_LEAST_SECRET[name] for name in shared), default=0)
        if len(self.secret.encode()) < least:
            # RFC 7518, 3.2: a key as long as the hash, or longer.
            raise ValueError(f"the secret is shorter than {least} bytes")
