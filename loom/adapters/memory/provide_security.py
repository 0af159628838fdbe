"""Binds the ``Authenticator`` port to fixed tokens."""

from __future__ import annotations

from loom.adapters.memory.security import MemoryAuthenticator
from loom.adapters.memory.settings_security import MemorySecuritySettings, TokenHolder
from loom.domain.context import Principal
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: MemorySecuritySettings, *, codec: Codec, clock: Clock) -> MemoryAuthenticator:
    """An authenticator of its own; it needs neither a codec nor a clock."""
    return MemoryAuthenticator({holder.token: _principal(holder) for holder in settings.holders})


def _principal(holder: TokenHolder) -> Principal:
    return Principal(subject=holder.subject, claims=dict(holder.claims), grants=frozenset(holder.grants))
