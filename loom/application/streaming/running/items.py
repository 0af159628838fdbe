"""What moves through a running flow, and how the end of a source record is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import attrs

from loom.domain.message import Envelope
from loom.ports.transport import ReceivedRecord


@attrs.define(eq=False)
class Lineage:
    """Counts the living items that derive from one source record, or from several that became one.

    Invariant: ``alive`` items refer to it. Each is released exactly once, when it is written, dropped or sent to an
    error route; with the last one ``done`` is called, and only then may the source record be committed.
    """

    sources: tuple[ReceivedRecord, ...]
    done: Callable[[], None]
    alive: int = 1

    def split(self, count: int) -> None:
        """One item has become ``count`` items; none at all is its end."""
        self.alive += count - 1
        if self.alive == 0:
            self.done()

    def release(self) -> None:
        """One item has come to its end."""
        self.split(0)


@attrs.define(eq=False)
class Item:
    """One record on its way."""

    envelope: Envelope[Any]
    lineage: Lineage


@attrs.define(eq=False)
class Batch:
    """Several records that go together."""

    items: list[Item]


Moved: TypeAlias = Item | Batch


def records(moved: Iterable[Moved]) -> list[Item]:
    """The single records of items and batches, in order."""
    found: list[Item] = []
    for one in moved:
        if isinstance(one, Batch):
            found += one.items
        else:
            found.append(one)
    return found


def merged(items: Sequence[Item]) -> Lineage:
    """The lineage of one thing that was made of all of these."""
    if len(items) == 1:
        return items[0].lineage
    parents = [item.lineage for item in items]

    def done() -> None:
        for parent in parents:
            parent.release()

    return Lineage(sources=sources(items), done=done)


def sources(items: Iterable[Item]) -> tuple[ReceivedRecord, ...]:
    """The source records from which items derive, each once, in order."""
    found = {record.origin: record for item in items for record in item.lineage.sources}
    return tuple(found.values())


def with_payload(envelope: Envelope[Any], payload: Any) -> Envelope[Any]:
    """The same envelope around another payload."""
    if payload is envelope.payload:
        return envelope
    return Envelope(
        payload=payload,
        key=envelope.key,
        headers=envelope.headers,
        timestamp=envelope.timestamp,
        origin=envelope.origin,
    )
