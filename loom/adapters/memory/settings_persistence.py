"""Settings of the in-memory store."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class MemoryPersistenceSettings:
    """Settings of a store that lives in this process and forgets everything with it. There is nothing to choose."""
