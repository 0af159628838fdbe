"""Settings of logging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from loom.domain.frozen import frozen

Level = Literal["debug", "info", "warning", "error", "critical"]


@frozen(kw_only=True)
class LogSettings:
    """What is logged and how.

    Attributes:
        format: ``console`` for people, ``json`` for machines (one object a line), ``silent`` for nothing. (It is not
            called ``off``, which YAML reads as false.)
        level: least level that is logged.
        levels: other least levels, by the name of a logger (``loom.outbox``).
    """

    format: Literal["console", "json", "silent"] = "console"
    level: Level = "info"
    levels: Mapping[str, Level] = attrs.field(factory=dict)
