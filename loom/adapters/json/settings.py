"""Settings of the JSON codec."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class JsonSettings:
    """``compiled``: read and write by code compiled for each class; without it, the plain converter does both."""

    compiled: bool = True
