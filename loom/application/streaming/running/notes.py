"""What a running flow logs of records that take another way: the first of each kind, then the counts."""

from __future__ import annotations

import logging
from collections import Counter

import attrs

from loom.ports.transport import ReceivedRecord

logger = logging.getLogger("loom.streaming")

# A step that drops everything must not fill the disk with lines.
_TOLD = frozenset(10**power for power in range(12))


@attrs.define(eq=False)
class Notes:
    """Log lines of one flow: the 1st, 10th, 100th, ... dead letter, skip and retry of each step."""

    flow: str
    _counts: Counter[tuple[str, str]] = attrs.field(factory=Counter, init=False)

    def dead_letter(self, step: str, record: ReceivedRecord, topic: str, error: Exception) -> None:
        """A dead letter is about to be sent."""
        self._note(f"dead letter into {topic}", step, record, error)

    def skipped(self, step: str, record: ReceivedRecord, error: Exception) -> None:
        """A policy dropped a record."""
        self._note("record skipped", step, record, error)

    def retried(self, step: str, record: ReceivedRecord, error: Exception) -> None:
        """A policy tries again."""
        self._note("retry", step, record, error)

    def _note(self, what: str, step: str, record: ReceivedRecord, error: Exception) -> None:
        self._counts[what, step] += 1
        count = self._counts[what, step]
        if count in _TOLD:
            logger.warning(
                "flow %s: %s no. %d of %s: %s: %s: %s",
                *(self.flow, what, count, step, place_of_record(record), type(error).__name__, error),
            )


def place_of_record(record: ReceivedRecord) -> str:
    """Where a record was read, in one word."""
    origin = record.origin
    return f"{origin.topic}[{origin.partition}]@{origin.offset}"
