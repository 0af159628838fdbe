"""What the results of a batch were made of: whose key they may carry, and which source records wait for them.

A list that a step returns says nothing about which result came of which record: it may be sorted, filtered, made anew.
Only identity does. A result that is an object of the batch keeps the key, the headers and the lineage of its record;
so does an envelope that still has the origin of one. Anything else was made of the whole batch: it has no key of its
own, and every record of the batch waits for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from loom.application.streaming.running.items import Item, merged
from loom.domain.message import Envelope


def derived(items: Sequence[Item], results: Sequence[Any], *, whole: bool) -> list[Item]:
    """The items that a step made of others; the lineages of those are split accordingly.

    Args:
        items: the batch.
        results: payloads, or envelopes.
        whole: they are envelopes.
    """
    source_of = _source_of_envelope(items) if whole else _source_of_payload(items)
    found = [source_of(result) for result in results]
    uses = Counter(id(source) for source in found if source is not None)
    new = sum(source is None for source in found)
    together = merged(items)
    for item in items:
        item.lineage.split(uses[id(item)] + (new > 0))
    if new:
        together.split(new)
    return [
        Item(keyed(source, result, whole=whole), together if source is None else source.lineage)
        for source, result in zip(found, results, strict=True)
    ]


def by_position(items: Sequence[Item], results: Iterable[Any], *, whole: bool) -> list[Item]:
    """The items of a step that answers position by position, as it says. Keys still go by identity."""
    return [
        Item(keyed(item if result is item.envelope.payload else None, result, whole=whole), item.lineage)
        for item, result in zip(items, results, strict=True)
    ]


def keyed(source: Item | None, result: Any, *, whole: bool) -> Envelope[Any]:
    """The envelope of a result."""
    if whole:
        envelope: Envelope[Any] = result
        return envelope
    return Envelope(payload=result) if source is None else source.envelope


def _source_of_payload(items: Sequence[Item]) -> Callable[[Any], Item | None]:
    known = _unique(items, lambda item: id(item.envelope.payload))
    return lambda payload: known.get(id(payload))


def _source_of_envelope(items: Sequence[Item]) -> Callable[[Any], Item | None]:
    same = _unique(items, lambda item: id(item.envelope))
    origins = _unique(items, lambda item: item.envelope.origin)
    return lambda envelope: same.get(id(envelope)) or (envelope.origin and origins.get(envelope.origin))


def _unique(items: Sequence[Item], key: Callable[[Item], Any]) -> dict[Any, Item | None]:
    """Items by a key; ``None`` where several share it, as then it does not tell one from the other."""
    found: dict[Any, Item | None] = {}
    for item in items:
        found[key(item)] = None if key(item) in found else item
    return found
