"""Settings that every ETL engine has."""

from __future__ import annotations

from loom.domain.frozen import frozen


@frozen(kw_only=True)
class TableSettings:
    """Where the tables of the lake lie.

    Attributes:
        uri: a folder of this machine, or one that all machines of a cluster mount.
    """

    uri: str = "./lake"
