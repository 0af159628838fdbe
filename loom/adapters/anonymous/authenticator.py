"""The authenticator that knows nobody."""

from __future__ import annotations

from collections.abc import Mapping


class Anonymous:
    """Every caller is unknown. What requires one cannot be called, and is refused when it is compiled."""

    scheme = None

    async def authenticate(self, headers: Mapping[str, str]) -> None:
        """See ``Authenticator``."""
        return
