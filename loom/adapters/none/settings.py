"""Settings of the cache that keeps nothing: there are none."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class NoneSettings:
    """Nothing."""
