"""Settings of fixed tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class TokenHolder:
    """A token, and whom it stands for; see ``Principal``.

    Attributes:
        token: what the holder sends.
        subject: who the holder is.
        claims: what else is known of the holder.
        grants: what the holder may do: the names that ``requires`` asks for.
    """

    token: str = attrs.field(repr=False, validator=attrs.validators.min_len(1))
    subject: str
    claims: Mapping[str, Any] = attrs.field(factory=dict)
    grants: tuple[str, ...] = ()


@frozen(kw_only=True)
class MemorySecuritySettings:
    """Fixed tokens, for tests and for machines that trust each other.

    Attributes:
        holders: each with its own token.
    """

    holders: tuple[TokenHolder, ...] = ()
