"""Which source records may be committed: those up to which nothing is missing, partition by partition."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import attrs

from loom.domain.message import Origin


@attrs.define(eq=False)
class _Entry:
    origin: Origin
    done: bool = False

    def finish(self) -> None:
        self.done = True


@attrs.define(eq=False)
class OffsetTracker:
    """Remembers records from the moment they are read until they may be committed."""

    _open: dict[tuple[str, int], deque[_Entry]] = attrs.field(factory=dict, init=False)

    def opened(self, origin: Origin) -> Callable[[], None]:
        """A record was read; call the result when everything derived from it is done."""
        entry = _Entry(origin)
        entries = self._open.setdefault((origin.topic, origin.partition), deque())
        if entries and entries[-1].origin.offset >= origin.offset:
            # The partition went away and came back: what was read before will be read again, so it no longer counts.
            entries.clear()
        entries.append(entry)
        return entry.finish

    def committable(self) -> list[Origin]:
        """The newest record of each partition up to which all are done, if that moved since the last call."""
        found: list[Origin] = []
        for entries in self._open.values():
            last = None
            while entries and entries[0].done:
                last = entries.popleft().origin
            if last is not None:
                found.append(last)
        return found

    @property
    def waiting(self) -> int:
        """How many records were read and may not be committed yet."""
        return sum(len(entries) for entries in self._open.values())
