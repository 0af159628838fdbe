"""Settings of the inline job queue."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class InlineJobsSettings:
    """Jobs run in this process.

    Attributes:
        concurrency: how many run at the same time.
        redelivery_delay: seconds until a message is delivered again whose run could not be recorded.
    """

    concurrency: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    redelivery_delay: float = attrs.field(default=1.0, validator=attrs.validators.gt(0.0))
