"""A cache that keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence

from loom.ports.cache import Lookup

_NOTHING = Lookup()


class NoCache:
    """See ``Cache``: one that never answers."""

    async def get(self, key: str, tags: Sequence[str]) -> Lookup:
        return _NOTHING

    async def put(self, key: str, value: bytes, *, stamp: bytes, seconds: float) -> None:
        return None

    async def invalidate(self, tags: Sequence[str]) -> None:
        return None

    async def close(self) -> None:
        return None
