"""Queries compiled against one model: the checks, the total order and the keyset predicate that all stores share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from operator import and_
from typing import Any, Generic, TypeVar

import attrs

from loom.application.compile import meant
from loom.application.graph import Graph
from loom.application.model_constraints import alive
from loom.application.orders import Orders
from loom.application.predicates import folded, folds, plain_expression, store_faults, stored_kind
from loom.application.recent import Recent
from loom.application.related import follow, is_related, reachable, resolved
from loom.application.rows import RowPlan
from loom.application.selections import Selection
from loom.application.shapes import MOST_CONSTANTS, MOST_SHAPES, shape_of
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.expr import Expr, Ref, Root, col, refs
from loom.domain.expr_check import ExprFault, check_predicate
from loom.domain.model import FieldSchema, ModelSchema
from loom.domain.query import Page, Query, Sort
from loom.domain.schema import INT_RANGE, Kind

M = TypeVar("M")


@attrs.frozen(eq=False, repr=False)
class Bounds:
    """What a query selects: ``where`` over all pages, ``behind`` the row that this page continues after."""

    where: Expr | None
    behind: Expr | None
    order: tuple[Sort, ...]

    @property
    def page(self) -> Expr | None:
        """The predicate of one page."""
        if self.where is None or self.behind is None:
            return self.where if self.behind is None else self.behind
        return self.where & self.behind


@attrs.frozen(eq=False, repr=False)
class Checked:
    """What is known of all predicates of a shape that has no fault: whether they can be folded, and lead to others."""

    folds: bool
    related: bool


@attrs.frozen(eq=False, repr=False)
class QueryPlan(Generic[M]):
    """What one model can be asked. Faults are ``InvalidInput``: a filter may come from outside.

    What follows from the shape of a predicate, or from a sort, is found out once. Values are looked at each time.
    """

    rows: RowPlan[M]
    graph: Graph | None = None
    selections: Mapping[str, Selection] = attrs.field(factory=dict)
    _alive: Expr | None = attrs.field(init=False)
    _orders: Orders = attrs.field(init=False)
    _checked: Recent[Checked] = attrs.field(factory=lambda: Recent(MOST_SHAPES), init=False)

    @_alive.default
    def _of_living(self) -> Expr | None:
        return alive(self.rows.schema)

    @_orders.default
    def _of_rows(self) -> Orders:
        return Orders(self.rows, self._subject())

    @property
    def schema(self) -> ModelSchema:
        """The model."""
        return self.rows.schema

    def selection(self, profile: str) -> Selection | None:
        """What a profile loads; ``None`` where none is named.

        Raises:
            InvalidInput: the model has no such profile.
        """
        if not profile:
            return None
        found = self.selections.get(profile)
        if found is None:
            message = meant(f"profile {profile!r} does not exist", profile, list(self.selections))
            raise InvalidInput([FieldError(path=("profile",), message=message)], subject=self._subject())
        return found

    def predicate(self, where: Expr | None) -> Expr | None:
        """The predicate with plain constants, ready to be translated.

        Enum members become their values, datetimes UTC, and a comparison with null becomes null.

        Raises:
            InvalidInput: unknown columns, operands that cannot meet, columns without an order; all of them.
        """
        if where is None:
            return None
        plain = plain_expression(where)
        constants: list[Any] = []
        shape = shape_of(plain, constants)
        checked = self._checked.get(shape)
        if checked is None:
            self._check(plain)
            checked = Checked(folds(plain), any(map(is_related, refs(plain))))
            if len(constants) <= MOST_CONSTANTS:
                self._checked.put(shape, checked)
        made = folded(plain) if checked.folds else plain
        return resolved(made, self.schema.model, self.graph) if checked.related else made

    def living(self, where: Expr | None) -> Expr | None:
        """As ``predicate``, without the rows that are deleted."""
        made, living = self.predicate(where), self._alive
        if living is None or made is None:
            return living if made is None else made
        return living & made

    def order(self, sort: Sequence[Sort]) -> tuple[Sort, ...]:
        """The order with the key columns at its end, so that no two rows are equal in it.

        Raises:
            InvalidInput: columns that do not exist or have no order; all of them.
        """
        return self._orders.total(sort)

    def bounds(self, query: Query) -> Bounds:
        """What the query selects and in which order.

        Raises:
            InvalidInput: see ``predicate`` and ``order``; a position that is not one of this order; a limit or an
                offset that is no number of rows.
        """
        order = self.order(query.sort)
        self._check_window(query)
        where = self.living(query.where)
        if query.after is None:
            return Bounds(where, None, order)
        if query.offset:
            message = "a query continues after a row or skips an offset, not both"
            raise InvalidInput([FieldError(path=("after",), message=message)], subject=self._subject())
        return Bounds(where, self._orders.behind(order, query.after), order)

    def is_key(self, key: Any) -> Expr:
        """The predicate that is true of the row of that key.

        Raises:
            InvalidInput: not a key of this model.
        """
        self.rows.key(key)
        names = [field.name for field in self.schema.keys]
        parts: list[Expr] = [
            col(name) == part for name, part in zip(names, key if len(names) > 1 else (key,), strict=True)
        ]
        return reduce(and_, parts)

    def page(self, query: Query, order: Sequence[Sort], found: Sequence[M], total: int | None) -> Page[M]:
        """The page of what was found for ``limit + 1`` rows."""
        if query.limit is None or len(found) <= query.limit:
            return Page(items=tuple(found), total=total)
        items = tuple(found[: query.limit])
        after = self._orders.position(order, partial(getattr, items[-1])) if items else None
        return Page(items=items, after=after, total=total)

    def picked(self, fields: Sequence[str], order: Sequence[Sort]) -> tuple[str, ...]:
        """The columns to read where these are asked for: with the key, and what the order needs.

        Raises:
            InvalidInput: columns that do not exist; all of them.
        """
        errors = [
            FieldError(path=("fields",), message=meant(f"column {name!r} does not exist", name, self.schema.names))
            for name in fields
            if self.schema.field(name) is None
        ]
        if errors:
            raise InvalidInput(errors, subject=self._subject())
        wanted = {*fields, *(key.name for key in self.schema.keys), *(each.column for each in order)}
        return tuple(name for name in self.schema.names if name in wanted)

    def picked_page(
        self,
        query: Query,
        order: Sequence[Sort],
        fields: Sequence[str],
        rows: Sequence[Sequence[Any]],
        total: int | None,
    ) -> Page[Mapping[str, Any]]:
        """The page of picked rows that were found for ``limit + 1``."""
        names = self.picked(fields, order)
        shown = {*fields, *(key.name for key in self.schema.keys)}
        hidden = [name for name in names if name not in shown]
        whole = query.limit is None or len(rows) <= query.limit
        found = [self._mapping(names, row) for row in rows[: query.limit]]
        after = None if whole or not found else self._orders.position(order, found[-1].__getitem__)
        for each in found:
            for name in hidden:
                del each[name]
        return Page(items=tuple(found), after=after, total=total)

    def _mapping(self, names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
        loads = self.rows.loads
        return {
            name: value if value is None or (load := loads[name]) is None else load(value)
            for name, value in zip(names, row, strict=True)
        }

    def _check(self, plain: Expr) -> None:
        errors = [
            FieldError(path=("where",), message=self._meant_by(fault))
            for fault in check_predicate(plain, self._kind_of_ref)
        ]
        if not errors:
            faults = store_faults(plain, self._kind_of_ref)
            errors = [FieldError(path=("where",), message=message) for message in faults]
        if errors:
            raise InvalidInput(errors, subject=self._subject())

    def _check_window(self, query: Query) -> None:
        most = INT_RANGE[1]
        if 0 <= query.offset <= most and (query.limit is None or 0 <= query.limit < most):
            return
        name = "offset" if not 0 <= query.offset <= most else "limit"
        message = f"must be a number of rows, not {getattr(query, name)}"
        raise InvalidInput([FieldError(path=(name,), message=message)], subject=self._subject())

    def _field(self, name: str) -> FieldSchema:
        field = self.schema.field(name)
        if field is None:
            raise LookupError(name)
        return field

    def _kind_of_ref(self, ref: Ref) -> Kind:
        if ref.ref_root is not Root.COLUMN:
            raise LookupError(ref)
        if is_related(ref):
            return stored_kind(follow(ref, self.schema.model, self.graph)[1])
        return stored_kind(self._field(ref.ref_path[0]))

    def _meant_by(self, fault: ExprFault) -> str:
        if isinstance(fault.expr, Ref) and is_related(fault.expr):
            return meant(fault.message, ".".join(fault.expr.ref_path), list(reachable(self.schema, self.graph)))
        return meant(fault.message, fault.unknown, self.schema.names)

    def _subject(self) -> str:
        return f"query on {self.schema.table}"
