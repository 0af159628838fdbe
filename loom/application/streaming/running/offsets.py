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
class _Partition:
    """What was read of one partition. ``newest`` is the highest offset so far."""

    open: deque[_Entry] = attrs.field(factory=deque)
    newest: int = -1


@attrs.define(eq=False)
class OffsetTracker:
    """Remembers records from the moment they are read until they may be committed."""

    _partitions: dict[tuple[str, int], _Partition] = attrs.field(factory=dict, init=False)

    def opened(self, origin: Origin) -> tuple[Callable[[], None], bool]:
        """A record was read.

        Returns:
            What is to be called when everything derived from it is done, and whether it was read before.
        """
        entry = _Entry(origin)
        partition = self._partitions.get((origin.topic, origin.partition))
        if partition is None:
            partition = self._partitions[origin.topic, origin.partition] = _Partition()
        again = origin.offset <= partition.newest
        if again and partition.open and partition.open[-1].origin.offset >= origin.offset:
            # The partition went away and came back: what was read before will be read again, so it no longer counts.
            partition.open.clear()
        if not again:
            partition.newest = origin.offset
        partition.open.append(entry)
        return entry.finish, again

    def committable(self) -> list[Origin]:
        """The newest record of each partition up to which all are done, if that moved since the last call."""
        found: list[Origin] = []
        for partition in self._partitions.values():
            last = None
            while partition.open and partition.open[0].done:
                last = partition.open.popleft().origin
            if last is not None:
                found.append(last)
        return found

    @property
    def waiting(self) -> int:
        """How many records were read and may not be committed yet."""
        return sum(len(partition.open) for partition in self._partitions.values())
