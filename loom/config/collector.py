"""Keeps the garbage collector away from what makes objects to keep."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection until the block ends; then the collector is as it was.

    A start imports libraries and compiles plans: hundreds of thousands of objects, nearly all of which stay. The
    collector looks at all of them again and again while they grow in number, for a sixth of the time of a start.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            _age()
            gc.enable()


def _age() -> None:
    # All that was made would count as young, and the first object after it would have all of it looked at. Freezing
    # and thawing makes it old without a look. What a running kernel has frozen stays so.
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
