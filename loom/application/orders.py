"""Orders of one model's rows, made total by its key, and positions in them, behind which a page continues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from loom.application.compile import meant
from loom.application.fit import Fit
from loom.application.models import has_order
from loom.application.recent import Recent
from loom.application.rows import RowPlan
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.expr import Expr, Literal, Ref, col
from loom.domain.query import Sort

_MOST_ORDERS: Final = 256


@attrs.frozen(eq=False)
class Column:
    """One column of an order."""

    name: str
    ref: Ref
    descending: bool
    nullable: bool
    fit: Fit


@attrs.frozen(eq=False)
class Orders:
    """The orders of one model. Each is found out once; values of positions are looked at each time."""

    rows: RowPlan[Any]
    subject: str
    _totals: Recent[tuple[Sort, ...]] = attrs.field(factory=lambda: Recent(_MOST_ORDERS), init=False)
    _columns: Recent[tuple[Column, ...]] = attrs.field(factory=lambda: Recent(_MOST_ORDERS), init=False)

    def total(self, sort: Sequence[Sort]) -> tuple[Sort, ...]:
        """The order with the key columns at its end, so that no two rows are equal in it.

        Raises:
            InvalidInput: columns that do not exist or have no order; all of them.
        """
        asked = tuple(sort)
        found = self._totals.get(asked)
        return self._totals.put(asked, self._total(asked)) if found is None else found

    def position(self, order: Sequence[Sort], value_of: Callable[[str], Any]) -> tuple[Any, ...]:
        """The position of a row in an order, as plain values."""
        values = ((each.column, value_of(each.column)) for each in order)
        return tuple([None if value is None else self.rows.fits[name](value) for name, value in values])

    def behind(self, order: tuple[Sort, ...], position: Sequence[Any]) -> Expr:
        """Rows behind a position: greater in the first column, or equal there and greater in the next, ...

        Raises:
            InvalidInput: a position that is not one of this order.
        """
        if len(position) != len(order):
            message = f"has {len(position)} values, but the order has {len(order)}"
            raise InvalidInput([FieldError(path=("after",), message=message)], subject=self.subject)
        behind: Expr | None = None
        for column, value in zip(reversed(self._columns_of(order)), reversed(position), strict=True):
            plain = None if value is None else self._plain(column, value)
            beyond = _beyond(column, plain)
            if behind is not None:
                behind = (column.ref.is_null() if plain is None else column.ref == plain) & behind
            behind = _either(beyond, behind)
        return Literal(False) if behind is None else behind

    def _total(self, sort: tuple[Sort, ...]) -> tuple[Sort, ...]:
        schema, errors = self.rows.schema, []
        for each in sort:
            field = schema.field(each.column)
            if field is None:
                message = meant(f"column {each.column!r} does not exist", each.column, schema.names)
                errors.append(FieldError(path=("sort",), message=message))
            elif not has_order(field.type):
                message = f"column {each.column!r} is {field.type.kind.value}, which has no order"
                errors.append(FieldError(path=("sort",), message=message))
        if errors:
            raise InvalidInput(errors, subject=self.subject)
        first = {each.column: each for each in reversed(sort)}
        named = [first.pop(each.column) for each in sort if each.column in first]
        keys = [Sort(field.name) for field in schema.keys]
        return (*named, *(key for key in keys if key.column not in {each.column for each in named}))

    def _columns_of(self, order: tuple[Sort, ...]) -> tuple[Column, ...]:
        found = self._columns.get(order)
        return self._columns.put(order, tuple(map(self._column, order))) if found is None else found

    def _column(self, sort: Sort) -> Column:
        field = self.rows.schema.field(sort.column)
        if field is None:
            raise LookupError(sort.column)
        name = field.name
        return Column(name, col(name), sort.descending, field.type.nullable, self.rows.fits[name])

    def _plain(self, column: Column, value: Any) -> Any:
        try:
            return column.fit(value)
        except ValueError as error:
            message = f"the value of {column.name!r} {error}"
            raise InvalidInput([FieldError(path=("after",), message=message)], subject=self.subject) from None


def _beyond(column: Column, value: object) -> Expr | None:
    """Rows that come later in one column alone; nulls come first ascending, last descending. ``None``: no row does."""
    ref = column.ref
    if column.descending:
        if value is None:
            return None
        return (ref < value) | ref.is_null() if column.nullable else ref < value
    return ref.is_not_null() if value is None else ref > value


def _either(first: Expr | None, second: Expr | None) -> Expr | None:
    if first is None or second is None:
        return second if first is None else first
    return first | second
