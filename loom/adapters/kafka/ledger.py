"""How far one member has read, what it may commit, and what it has committed. Pure: it asks nobody.

A commit counts only for partitions that were read since they were assigned: when a partition went to another member,
that member says when its records are done, and a late word of ours would skip what it has not handled yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import attrs

from loom.domain.message import Origin

Partition: TypeAlias = tuple[str, int]


@attrs.define
class Ledger:
    """Offsets of one member, by partition. A committed offset is that of the next record to read."""

    # Offset of the first record read since the partition was assigned.
    _read_from: dict[Partition, int] = attrs.field(factory=dict, init=False)
    # Offset of the next record to read.
    _reached: dict[Partition, int] = attrs.field(factory=dict, init=False)
    _committed: dict[Partition, int] = attrs.field(factory=dict, init=False)
    _pending: dict[Partition, int] = attrs.field(factory=dict, init=False)

    @property
    def pending(self) -> Mapping[Partition, int]:
        """What is done and not yet confirmed by the broker."""
        return self._pending

    def read(self, origin: Origin) -> None:
        """A record was handed to the flow."""
        partition = (origin.topic, origin.partition)
        self._read_from.setdefault(partition, origin.offset)
        self._reached[partition] = origin.offset + 1

    def ended(self, partition: Partition, offset: int) -> None:
        """There is nothing before ``offset`` that was not read: what a transaction left behind has an offset too."""
        self._reached[partition] = offset

    def reached(self, partition: Partition) -> int:
        """The offset of the next record to read; -1 where nothing is known since the partition was assigned."""
        return self._reached.get(partition, -1)

    def done(self, origins: Iterable[Origin]) -> None:
        """The flow is done with everything up to these; what is not ours, or older than a commit, is left out."""
        for origin in origins:
            partition, following = (origin.topic, origin.partition), origin.offset + 1
            first = self._read_from.get(partition)
            if first is not None and origin.offset >= first and following > self._committed.get(partition, 0):
                self._pending[partition] = max(self._pending.get(partition, 0), following)

    def confirmed(self, partition: Partition, offset: int) -> None:
        """The broker has stored an offset."""
        self._committed[partition] = max(self._committed.get(partition, 0), offset)
        if self._pending.get(partition, offset + 1) <= offset:
            del self._pending[partition]

    def forget(self, partition: Partition) -> None:
        """The partition was given to us, or taken away: everything about it begins anew."""
        for known in (self._read_from, self._reached, self._committed, self._pending):
            known.pop(partition, None)
