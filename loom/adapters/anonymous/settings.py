"""Settings of the adapter that knows nobody: there are none."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class AnonymousSettings:
    """Nothing."""
