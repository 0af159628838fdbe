"""Binds the ``Authenticator`` port to PyJWT."""

from __future__ import annotations

from loom.adapters.jwt.authenticator import JwtAuthenticator
from loom.adapters.jwt.keys import make_keys
from loom.adapters.jwt.settings import JwtSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: JwtSettings, *, codec: Codec, clock: Clock) -> JwtAuthenticator:
    """An authenticator of these settings. PyJWT reads JSON and the time by itself.

    Raises:
        ConfigError: a key cannot be read.
    """
    return JwtAuthenticator(settings, make_keys(settings))
