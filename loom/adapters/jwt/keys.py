"""The keys that tokens are verified with."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import attrs
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from loom.adapters.jwt.settings import JwtSettings
from loom.domain.errors import ConfigError, Issue, Place
from loom.domain.frozen import frozen

LOOK_AGAIN: Final = 1.0
"""Seconds for which the file of a key set is trusted not to have changed."""

Stamp: TypeAlias = tuple[int, int, int]
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
    """The keys of a set by their ids; read again from its file where that has changed.

    The file is looked at every ``LOOK_AGAIN`` seconds, so that a key that was taken out of it is good no longer than
    that, and at once for a key that is not known yet.
    """

    file: Path | None
    _keys: Mapping[str | None, Key] = attrs.field(repr=False)
    _stamp: Stamp | None = None
    _look_at: float = attrs.field(factory=lambda: time.monotonic() + LOOK_AGAIN)

    def find(self, kid: str | None) -> Key | None:
        if self.file is not None and time.monotonic() >= self._look_at:
            self._read(self.file)
        found = self._look_up(kid)
        if found is None and self.file is not None and self._read(self.file):
            found = self._look_up(kid)
        return found

    def _look_up(self, kid: str | None) -> Key | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    def _read(self, file: Path) -> bool:
        """Read the file where it is not the one that was read; whether it was."""
        self._look_at = time.monotonic() + LOOK_AGAIN
        try:
            stamp = stamp_of(file)
            if stamp == self._stamp:
                return False
            self._keys = _parsed(json.loads(file.read_bytes()))
        except (OSError, ValueError, jwt.PyJWTError):
            # A file that is being written: the keys that are known stay good, and the next token tries again.
            return False
        self._stamp = stamp
        return True


def stamp_of(file: Path) -> Stamp:
    """What changes whenever the file does, one that is put in its place and keeps its time included."""
    state = file.stat()
    return state.st_ino, state.st_mtime_ns, state.st_size


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
            stamp = stamp_of(file)  # before it is read: what is written meanwhile is seen the next time
            return KeySet(file, _parsed(json.loads(file.read_bytes())), stamp)
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
