"""Binds the HTTP shell to FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.adapters.fastapi.settings import FastapiSettings
from loom.ports.clock import Clock
from loom.ports.codec import Codec

if TYPE_CHECKING:
    from loom.adapters.fastapi.shell import FastapiShell


def provide(settings: FastapiSettings, *, codec: Codec, clock: Clock) -> FastapiShell:
    """A shell with these settings. The clock is not needed: nothing here dates anything."""
    from loom.adapters.fastapi.first_import import import_fastapi

    import_fastapi()
    from loom.adapters.fastapi.shell import FastapiShell

    return FastapiShell(settings, codec)
