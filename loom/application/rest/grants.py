"""The authorizer that goes by what the caller was granted."""

from __future__ import annotations

from collections.abc import Sequence

from loom.domain.context import Principal
from loom.domain.errors import Forbidden


class GrantsAuthorizer:
    """Lets a caller do what it was granted: every name that a route requires is among its grants."""

    async def authorize(self, principal: Principal, requires: Sequence[str], operation: str) -> None:
        """See ``Authorizer``."""
        missing = [name for name in requires if name not in principal.grants]
        if missing:
            raise Forbidden(f"{operation} requires {', '.join(missing)}", missing=requires)
