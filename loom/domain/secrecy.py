"""What must not be shown: names whose values are secret, passwords inside addresses, and private keys."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"

_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|api_?key|private_?key|credential|authorization", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(?<=://)([^:@/\s]*):([^@/\s]+)@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# Of a JSON Web Key: a shared secret, and what makes a key a private one (RFC 7518, section 6).
_JWK_SECRETS = frozenset(["k", "d", "p", "q", "dp", "dq", "qi", "oth"])
_QUERY_SECRET = re.compile(rf"([?&;][^=&;\s]*(?:{_SECRET_NAME.pattern})[^=&;\s]*=)[^&;\s]+", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a value of that name is a secret: ``password``, ``cursor_secret``, ``api-key`` and the like."""
    return _SECRET_NAME.search(name.replace("-", "_")) is not None


def shown(name: str, value: Any) -> Any:
    """A value as it may be shown: hidden under a secret name, and without the passwords and private keys in text.

    Mappings and lists are looked through, each key by its own name. Empty text and ``None`` are no secrets.
    """
    if isinstance(value, dict):
        private = _JWK_SECRETS if "kty" in value else ()
        return {key: HIDDEN if key in private else shown(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(name, item) for item in value]
    if is_secret_name(name) and value not in (None, "", HIDDEN) and not isinstance(value, bool):
        return HIDDEN
    return without_passwords(value) if isinstance(value, str) else value


def without_passwords(text: str) -> str:
    """Text whose addresses (``postgresql://user:password@host``) show no password, and that holds no private key."""
    public = _PRIVATE_KEY.sub(HIDDEN, text) if "PRIVATE KEY" in text else text
    return _QUERY_SECRET.sub(rf"\1{HIDDEN}", _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", public))
