"""The public face of the Bytewax engine. Importing it needs no Bytewax; asking it for the engine does."""

from typing import TYPE_CHECKING, Any

from loom.adapters.bytewax.settings import BytewaxSettings
from loom.domain.errors import MissingExtra

if TYPE_CHECKING:
    from loom.adapters.bytewax.engine import BytewaxStreamEngine

__all__ = ["BytewaxSettings", "BytewaxStreamEngine"]


def __getattr__(name: str) -> Any:
    if name != "BytewaxStreamEngine":
        raise AttributeError(name)
    try:
        from loom.adapters.bytewax.engine import BytewaxStreamEngine
    except ModuleNotFoundError as error:
        raise MissingExtra("bytewax", "streaming") from error
    return BytewaxStreamEngine
