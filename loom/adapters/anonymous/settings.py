"""Settings of the adapter that knows nobody: there are none."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class AnonymousSettings:
    """Nothing."""
