"""Settings of the in-memory broker."""

from __future__ import annotations

import attrs

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class MemoryTopicsSettings:
    """Settings of a broker that lives in this process and forgets everything with it.

    Attributes:
        partitions: partitions of a topic that is made because somebody uses it; ``ensure`` names its own.
        create_missing: whether using a topic that does not exist makes it; otherwise it is ``NotFound``.
        max_record_bytes: most bytes of one record, its key and headers included; a larger one is refused, as Kafka
            does.
    """

    partitions: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    create_missing: bool = True
    max_record_bytes: int = attrs.field(default=1_000_000, validator=attrs.validators.ge(1))
