"""Settings of the Bytewax stream engine."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class BytewaxSettings:
    """Settings of the engine that runs flows as Bytewax dataflows, in one worker thread.

    Attributes:
        poll_records: most records that are read at a time.
        poll_seconds: longest wait for new records, in seconds. The worker does nothing else meanwhile, so batches are
            closed up to this much late.
    """

    poll_records: int = attrs.field(default=500, validator=attrs.validators.ge(1))
    poll_seconds: float = attrs.field(default=0.02, validator=attrs.validators.gt(0))
