"""Binds the ``Authenticator`` port to nobody."""

from __future__ import annotations

from loom.adapters.anonymous.authenticator import Anonymous
from loom.adapters.anonymous.settings import AnonymousSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: AnonymousSettings, *, codec: Codec, clock: Clock) -> Anonymous:
    """An authenticator that knows nobody; it needs neither a codec nor a clock."""
    return Anonymous()
