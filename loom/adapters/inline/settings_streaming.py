"""Settings of the inline stream engine."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class InlineStreamingSettings:
    """Settings of the engine that runs flows in this process, in its event loop.

    Attributes:
        poll_records: most records that are read and handled together.
        poll_seconds: longest wait for new records, in seconds; a stop is noticed after it.
    """

    poll_records: int = attrs.field(default=500, validator=attrs.validators.ge(1))
    poll_seconds: float = attrs.field(default=0.1, validator=attrs.validators.gt(0))
