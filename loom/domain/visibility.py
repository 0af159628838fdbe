"""Which rows of other models somebody sees: what a repository carries wherever it leads beyond its own rows."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from loom.domain.expr import Expr


@attrs.frozen(eq=False, repr=False)
class RowFilters:
    """The rows that are there for one caller, by model; all rows of a model that is not among them.

    A store applies them as it does the marks of deleted rows: to what a profile loads, to what it computes, and to what
    a predicate leads to. The rows that a repository is asked for itself are the affair of whoever asks.

    Attributes:
        by_model: a predicate over the model's own columns, without open references.
    """

    by_model: Mapping[type, Expr]
