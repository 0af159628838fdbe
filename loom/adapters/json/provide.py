"""Makes the JSON codec from its settings."""

from __future__ import annotations

from loom.adapters.json.codec import JsonCodec
from loom.adapters.json.settings import JsonSettings


def provide(settings: JsonSettings) -> JsonCodec:
    """A codec with a converter of its own."""
    return JsonCodec(compiled=settings.compiled)
