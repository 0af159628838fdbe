"""Settings of the cache that keeps nothing: there are none."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class NoneSettings:
    """Nothing."""
