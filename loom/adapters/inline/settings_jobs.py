"""Settings of the inline job queue."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class InlineJobsSettings:
    """Jobs run in this process. ``concurrency`` is how many run at the same time."""

    concurrency: int = attrs.field(default=10, validator=attrs.validators.ge(1))
