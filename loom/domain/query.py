"""Query values: what a repository is asked for, without any database in it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from loom.domain.expr import Expr
from loom.domain.frozen import frozen

M = TypeVar("M", covariant=True)


@frozen
class Sort:
    """Order by one column. Nulls come first ascending and last descending, in every adapter."""

    column: str
    descending: bool = False


@frozen(kw_only=True)
class Query:
    """What to list.

    Attributes:
        where: predicate over ``col(...)``; ``None`` keeps all.
        sort: the order; the key columns are always added at the end, so that the order is total.
        limit: most rows of a page; ``None`` for all (streams).
        offset: rows to skip. Excludes ``after``.
        after: sort values and key values of the last row of the page before (keyset pagination).
        total: count all rows that match as well.
        profile: what is loaded beside each row; nothing where none is named. A reference of ``where`` may lead across
            relations whatever is loaded: ``col("owner.name")``.
    """

    where: Expr | None = None
    sort: tuple[Sort, ...] = ()
    limit: int | None = 50
    offset: int = 0
    after: tuple[Any, ...] | None = None
    total: bool = False
    profile: str = ""


@frozen(kw_only=True)
class Page(Generic[M]):
    """One page. ``after`` continues behind its last row and is ``None`` at the end; ``total`` only where asked for."""

    items: tuple[M, ...]
    after: tuple[Any, ...] | None = None
    total: int | None = None
