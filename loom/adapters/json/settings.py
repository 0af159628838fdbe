"""Settings of the JSON codec."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class JsonSettings:
    """How JSON is read and written.

    Attributes:
        compiled: by code that is compiled for each class; without it, by the plain converter.
    """

    compiled: bool = True
