"""What must not be shown: names whose values are secret, passwords inside addresses, and private keys."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"

# Whatever ends with "key" is one, but for those that say themselves that they are public.
_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|pwd|secret|token|(?<!public)[._]key($|\.(?!location|pem))|(api|private|account|access|shared)key"
    r"|credential|authorization|connection_?string|signature|(^|[._])sas($|[._])",
    re.IGNORECASE,
)
# Up to the last "@" of the authority: a password may hold one.
_URL_PASSWORD = re.compile(r"(?<=://)([^:@/\s]*):([^/\s]+)@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# Of a JSON Web Key: a shared secret, and what makes a key a private one (RFC 7518, section 6).
_JWK_SECRETS = frozenset(["k", "d", "p", "q", "dp", "dq", "qi", "oth"])
# Of a query string, a connection string or the options of a program: name=value, the value perhaps in quotes.
# A name is looked for where one may begin and nowhere inside it, or long text without any would take quadratic time.
_NAMED = re.compile(r"""(?:(?<=[=?&;,\s"'])|^)(?P<name>[^=?&;,\s"']+)=(?P<value>"[^"]*"|'[^']*'|[^&;,\s"']+)""")


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
    public = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", public) if "://" in public else public
    return _NAMED.sub(_hidden, public) if "=" in public else public


def _hidden(found: re.Match[str]) -> str:
    # "sig" is the signature in the query string of a shared access signature.
    name = found["name"]
    return f"{name}={HIDDEN}" if is_secret_name(name) or name == "sig" else found[0]
