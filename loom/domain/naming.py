"""Names that are derived where nobody gave one."""

from __future__ import annotations

import re

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """A class name as a table or a topic is called: ``OrderLine`` is ``order_line``, ``HTTPCall`` is ``http_call``."""
    return _BORDER.sub("_", name).lower()
