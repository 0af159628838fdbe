"""How many of the records that were read are handled together, so that a flow comes up for air about once a second."""

from __future__ import annotations

import attrs

SLICE_SECONDS = 1.0
FIRST_SLICE = 32
_GROWTH = 4


@attrs.define(eq=False)
class Pace:
    """The size of the next slice, from how long the last one took.

    Between two slices a flow writes out what it has made, commits, and looks whether it is to end. Fast steps soon get
    everything at once, and slow ones as much as they do in a second.
    """

    size: int = FIRST_SLICE

    def took(self, count: int, seconds: float) -> None:
        """A slice of ``count`` records was handled in so many seconds."""
        if count <= 0:
            return
        fits = int(count * SLICE_SECONDS / seconds) if seconds > 0 else count * _GROWTH
        if fits < count:
            self.size = max(1, fits)
        elif count >= self.size:
            self.size = min(max(1, fits), self.size * _GROWTH)
