"""What a table in memory refuses: values that another row has, and rows that break a named check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from loom.application.model_constraints import columns_of, named_checks, plain_predicate, unique_groups
from loom.domain.constraints import Index
from loom.domain.errors import CheckFailed
from loom.domain.expr import Expr, Ref
from loom.domain.expr_python import Getter, to_python
from loom.domain.model import ModelSchema

Row: TypeAlias = tuple[Any, ...]
Predicate: TypeAlias = Callable[[Row], Any]


@attrs.frozen(eq=False)
class Group:
    """Columns whose values no two rows share, among the rows for which ``where`` is true."""

    columns: tuple[str, ...]
    where: Predicate | None
    _positions: tuple[int, ...]

    def value(self, row: Row) -> Any:
        """What no other row may have; ``None`` where the row is equal to none."""
        if self.where is not None and self.where(row) is not True:
            return None
        if len(self._positions) == 1:
            return row[self._positions[0]]
        values = tuple([row[position] for position in self._positions])
        return None if any(value is None for value in values) else values


@attrs.frozen(eq=False)
class Check:
    """A named check."""

    name: str
    columns: tuple[str, ...]
    holds: Predicate


@attrs.frozen(eq=False)
class Constraints:
    """All of one table."""

    table: str
    groups: tuple[Group, ...]
    checks: tuple[Check, ...]

    def check(self, row: Row) -> None:
        """Refuse a row that breaks a check; null breaks none.

        Raises:
            CheckFailed: naming the first, in the order of names.
        """
        for check in self.checks:
            if check.holds(row) is False:
                raise CheckFailed(self.table, check.name, check.columns)


def constraints_of(schema: ModelSchema) -> Constraints:
    """The constraints of a model."""
    return Constraints(
        schema.table,
        tuple(_group(schema, each) for each in unique_groups(schema)),
        tuple(Check(name, columns_of(expr), _predicate(schema, expr)) for name, expr in named_checks(schema).items()),
    )


def _group(schema: ModelSchema, index: Index) -> Group:
    where = None if index.where is None else _predicate(schema, plain_predicate(index.where))
    return Group(index.columns, where, tuple(schema.names.index(name) for name in index.columns))


def _predicate(schema: ModelSchema, expr: Expr) -> Predicate:
    def getter(ref: Ref) -> Getter:
        position = schema.names.index(ref.ref_path[0])
        return lambda row: row[position]

    return to_python(expr, getter)
