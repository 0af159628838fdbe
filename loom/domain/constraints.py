"""What a model says about its rows beyond their columns: indexes, uniqueness over several columns, named checks."""

from __future__ import annotations

from typing import Final

import attrs

from loom.domain.expr import Expr
from loom.domain.frozen import frozen

TIMESTAMPS: Final = ("created_at", "updated_at")
"""The fields that ``timestamps=True`` keeps."""
VERSION: Final = "version"
"""The field that ``version=True`` keeps."""
DELETED_AT: Final = "deleted_at"
"""The field that ``soft_delete=True`` keeps."""


@frozen
class Index:
    """Columns that are searched together, or that no two rows share; see ``index``."""

    columns: tuple[str, ...]
    unique: bool = False
    where: Expr | None = attrs.field(default=None, eq=False)


def index(*columns: str, unique: bool = False, where: Expr | None = None) -> Index:
    """Declare an index of an entity: ``entity(indexes=[index("stock", where=col("stock") > 0)])``.

    Args:
        columns: names of stored fields, in the order in which they are searched.
        unique: no two rows have the same values in all of them. A row with null in one of them is equal to no other.
        where: rows that are indexed, and that ``unique`` compares; all where nothing is given.
    """
    return Index(columns, unique, where)
