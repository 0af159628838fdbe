"""Settings of the cache in this process."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class MemoryCacheSettings:
    """A cache of this process alone: what another process writes is seen here when the time of a value is over.

    Attributes:
        max_entries: most values; the one that was not used for longest goes first.
    """

    max_entries: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
