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
    """

    partitions: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    create_missing: bool = True
