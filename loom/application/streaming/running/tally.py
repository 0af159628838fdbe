"""The counts of one run."""

from __future__ import annotations

from collections import Counter

import attrs

from loom.ports.streaming import FlowReport


@attrs.define(eq=False)
class Tally:
    """Counts while a flow runs; one a run."""

    flow: str
    read: int = 0
    repeated: int = 0
    dead_letters: int = 0
    skipped: int = 0
    retries: int = 0
    written: Counter[str] = attrs.field(factory=Counter)

    def report(self) -> FlowReport:
        """The counts so far."""
        return FlowReport(
            flow=self.flow,
            read=self.read,
            repeated=self.repeated,
            written=dict(self.written),
            dead_letters=self.dead_letters,
            skipped=self.skipped,
            retries=self.retries,
        )
