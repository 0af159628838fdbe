"""Binds the HTTP shell to FastAPI."""

from __future__ import annotations

from loom.adapters.fastapi.settings import FastapiSettings
from loom.adapters.fastapi.shell import FastapiShell
from loom.ports.clock import Clock
from loom.ports.codec import Codec


def provide(settings: FastapiSettings, *, codec: Codec, clock: Clock) -> FastapiShell:
    """A shell with these settings. The clock is not needed: nothing here dates anything."""
    return FastapiShell(settings, codec)
