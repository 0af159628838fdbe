"""What an idempotency key stands for: the answer that the first request with it was given."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from loom.domain.frozen import frozen

IDEMPOTENCY_HEADER = "idempotency-key"
REPLAYED_HEADER = "idempotency-replayed"


@frozen(kw_only=True)
class KeptAnswer:
    """An answer as it was sent.

    Attributes:
        fingerprint: of the request: another one under the same key is not a repetition of it.
        status: HTTP status.
        headers: those that belong to the answer itself, by lower-case name.
        body: its bytes.
    """

    fingerprint: str
    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)
