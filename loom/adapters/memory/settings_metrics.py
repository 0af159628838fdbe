"""Settings of metrics in memory: there are none."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class MemoryMetricsSettings:
    """Nothing."""
