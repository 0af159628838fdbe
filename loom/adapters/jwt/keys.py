"""The keys that tokens are verified with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from loom.adapters.jwt.settings import JwtSettings
from loom.domain.errors import ConfigError, Issue, Place
from loom.domain.frozen import frozen

Key = Any
"""What PyJWT takes: text, a public key, or a ``PyJWK``."""


class Keys(Protocol):
    """Protocol of finding the key of a token."""

    def find(self, kid: str | None) -> Key | None:
        """The key that a token names; where it names none, the only one there is."""


@frozen
class OneKey:
    """One key for every token, whatever the token says."""

    key: Key = attrs.field(repr=False)

    def find(self, kid: str | None) -> Key | None:
        return self.key


@attrs.define
class KeySet:
    """The keys of a set by their ids; read again from its file where that has changed."""

    file: Path | None
    _keys: Mapping[str | None, Key] = attrs.field(repr=False)
    _stamp: float = 0.0

    def find(self, kid: str | None) -> Key | None:
        found = self._look_up(kid)
        if found is None and self.file is not None and self._changed(self.file):
            found = self._look_up(kid)
        return found

    def _look_up(self, kid: str | None) -> Key | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _changed(self, file: Path) -> bool:
        try:
            stamp = file.stat().st_mtime
            if stamp == self._stamp:
                return False
            self._keys = _parsed(json.loads(file.read_bytes()))
        except (OSError, ValueError, jwt.PyJWTError):
            # A file that is being written: the keys that are known stay good, and the next token tries again.
            return False
        self._stamp = stamp
        return True


def make_keys(settings: JwtSettings) -> Keys:
    """The keys of the settings.

    Raises:
        ConfigError: they cannot be read.
    """
    try:
        if settings.secret:
            return OneKey(settings.secret)
        if settings.public_key:
            return OneKey(load_pem_public_key(settings.public_key.encode()))
        if settings.jwks_file:
            file = Path(settings.jwks_file)
            return KeySet(file, _parsed(json.loads(file.read_bytes())), file.stat().st_mtime)
        return KeySet(None, _parsed(settings.jwks or {}))
    except (OSError, ValueError, UnsupportedAlgorithm, jwt.PyJWTError) as error:
        message = f"the key cannot be read: {error}"
        remedy = "public_key holds the PEM text itself; jwks and jwks_file hold a JSON Web Key Set (RFC 7517)"
        raise ConfigError(
            [Issue(code="LOOM-SECURITY-001", where=Place(name="security"), message=message, remedy=remedy)]
        ) from error


def _parsed(document: Any) -> dict[str | None, Key]:
    if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
        raise ValueError('a key set is an object with a list "keys"')
    return {key.key_id: key for key in jwt.PyJWKSet.from_dict(dict(document)).keys}
