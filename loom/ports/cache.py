"""Protocol of a read cache: bytes by key, forgotten by tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from loom.domain.frozen import frozen


@frozen
class Lookup:
    """What a cache answered.

    Attributes:
        value: what it keeps; ``None`` where it keeps nothing that still holds.
        stamp: the generations of the tags at the moment of the answer, for ``put``; empty where the cache is away.
    """

    value: bytes | None = None
    stamp: bytes = b""


class Cache(Protocol):
    """Protocol of a cache in front of a store.

    Every value carries the stamp that ``get`` gave before the store was asked. A value whose tags have been invalidated
    since then is never found, also where it is put after the invalidation: a slow reader cannot bring back what it read
    before a change.

    A cache that does not answer is a miss and forgets nothing: no call raises, and none waits long. What could not be
    invalidated then is made up for before this object answers again.
    """

    async def get(self, key: str, tags: Sequence[str]) -> Lookup:
        """What is kept under a key, if none of the tags was invalidated since its stamp was given.

        Args:
            key: of the value; the same key has the same tags each time.
            tags: what the value depends on; at least one.
        """

    async def put(self, key: str, value: bytes, *, stamp: bytes, seconds: float) -> None:
        """Keep a value.

        Args:
            key: as it was given to ``get``.
            value: the bytes.
            stamp: of the ``get`` that came before the value was read; with an empty one nothing is kept.
            seconds: how long it may be found; above 0.
        """

    async def invalidate(self, tags: Sequence[str]) -> None:
        """Forget every value that depends on one of the tags; costs the same however many there are."""

    async def close(self) -> None:
        """Give connections back. What is kept stays, where it outlives the process."""
