"""Translation of predicates into SQL. Takes what ``QueryPlan.predicate`` gives: checked, plain and folded.

SQL's logic has the three values already. What is left are the places where databases differ from each other or from
the language: ``IN ()``, the case of ``LIKE``, and decimals on SQLite, which are integers there (see ``storage``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from loom.adapters.sqlalchemy.storage import SQLITE, bind_type, constant_fit
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.application.fit import Fit
from loom.application.shapes import padded, places
from loom.domain.expr import ARITHMETIC, LOGIC, Binary, Expr, IsIn, IsNull, Like, Literal, Not, Op, Ref
from loom.domain.expr_check import literal_kind
from loom.domain.expr_python import OPERATORS, like_parts
from loom.domain.schema import INT_RANGE, Kind

Element: TypeAlias = ColumnElement[Any]
Bound: TypeAlias = Callable[[Fit | None, TypeEngine[Any]], Element]
"""Gives the parameter of one constant, as it is or made ready for the driver."""
Take: TypeAlias = Callable[[Any], Bound]
"""Takes the constants of a predicate that are not null, in the order of ``shape_of``."""

_OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {
    **OPERATORS,
    Op.AND: sa.and_,
    Op.OR: sa.or_,
}
_GLOB_SPECIAL = "*?["


@attrs.frozen(eq=False, repr=False)
class Operand:
    """A translated part: its SQL, the kind of its value, and the power of ten by which a decimal is scaled.

    ``scaled`` gives the SQL of a number that is constant at another scale.
    """

    element: Element
    kind: Kind
    scale: int = 0
    scaled: Callable[[int], Element] | None = None


def embedded(value: Any) -> Bound:
    """A constant that belongs to its statement."""

    def bound(fit: Fit | None, type_: TypeEngine[Any]) -> Element:
        return sa.bindparam(None, value if fit is None else fit(value), type_=type_, unique=True)

    return bound


@attrs.define(eq=False, repr=False)
class Slots:
    """Constants that are given when the statement runs.

    Attributes:
        prefix: of the names of parameters.
        fits: for the name of a parameter which of the constants it takes, and what that needs for the driver.
        taken: how many constants were met.
    """

    prefix: str = "c"
    fits: dict[str, tuple[int, Fit | None]] = attrs.field(factory=dict)
    taken: int = 0

    def take(self, value: Any) -> Bound:
        """A place for this constant; of its value only the shape matters."""
        number = self.taken
        self.taken += 1

        def bound(fit: Fit | None, type_: TypeEngine[Any]) -> Element:
            name = f"{self.prefix}{len(self.fits)}"
            self.fits[name] = number, fit
            return sa.bindparam(name, type_=type_)

        return bound


@attrs.frozen(eq=False, repr=False)
class Translator:
    """Translates the predicates of one table for one database. ``reach`` translates references to other tables."""

    table: ModelTable
    dialect: str
    reach: Callable[[Ref], Operand] | None = None
    take: Take = embedded

    def where(self, predicate: Expr) -> Element:
        """The SQL of a predicate."""
        return self._operand(predicate, Kind.BOOL).element

    def value(self, expr: Expr, scale: int = 0) -> Element:
        """The SQL of a value. A decimal that is kept as an integer is scaled by ``scale`` at least."""
        operand = self._operand(expr, Kind.BOOL)
        scaled = operand.kind is Kind.DECIMAL and self.dialect == SQLITE
        return _scaled(operand, max(scale, operand.scale)).element if scaled else operand.element

    def _operand(self, expr: Expr, beside: Kind) -> Operand:
        """Translate one part. ``beside`` is the kind of what it meets, for constants that fit several."""
        if isinstance(expr, Ref):
            return self.reach(expr) if self.reach else column_operand(self.table, self.table.table, expr.ref_path[0])
        if isinstance(expr, Literal):
            return self._constant(expr.value, beside)
        if isinstance(expr, Binary):
            return self._binary(expr)
        return Operand(self._unary(expr), Kind.BOOL)

    def _constant(self, value: Any, beside: Kind) -> Operand:
        if value is None:
            return Operand(sa.null(), beside)
        kind = literal_kind(value) or beside
        bound = self.take(value)
        if self.dialect != SQLITE or kind not in (Kind.INT, Kind.DECIMAL):
            return Operand(bound(constant_fit(kind, self.dialect), bind_type(kind, self.dialect)), kind)
        own = places(value) if kind is Kind.DECIMAL else 0

        def scaled(scale: int) -> Element:
            if kind is Kind.INT and scale == 0:
                return bound(None, sa.Integer())
            fit = partial(_number, places=own, scale=scale)
            return bound(fit, sa.Integer() if isinstance(fit(value), int) else sa.Double())

        return Operand(scaled(own), kind, own, scaled)

    def _binary(self, expr: Binary) -> Operand:
        left = self._operand(expr.left, Kind.BOOL)
        right = self._operand(expr.right, left.kind)
        apply = _OPERATORS[expr.op]
        if expr.op in LOGIC:
            return Operand(apply(left.element, right.element), Kind.BOOL)
        kind = _wider(left.kind, right.kind)
        scale = left.scale + right.scale
        if expr.op is not Op.MUL and left.scale != right.scale:
            scale = max(left.scale, right.scale)
            left, right = _scaled(left, scale), _scaled(right, scale)
        elif expr.op is not Op.MUL:
            scale = left.scale
        element = apply(_grouped(left.element), _grouped(right.element))
        return Operand(element, kind, scale) if expr.op in ARITHMETIC else Operand(element, Kind.BOOL)

    def _unary(self, expr: Expr) -> Element:
        if isinstance(expr, Not):
            return sa.not_(self._operand(expr.operand, Kind.BOOL).element)
        if isinstance(expr, IsNull):
            return _grouped(self._operand(expr.operand, Kind.BOOL).element).is_(sa.null())
        if isinstance(expr, IsIn):
            return self._is_in(self._operand(expr.operand, Kind.BOOL), padded(expr.options))
        if isinstance(expr, Like):
            return self._like(self._operand(expr.operand, Kind.STRING).element, expr)
        raise TypeError(f"{expr!r} has no translation into SQL")

    def _is_in(self, operand: Operand, options: tuple[Any, ...]) -> Element:
        made = [self._constant(option, operand.kind) for option in options]
        scale = max([operand.scale, *(option.scale for option in made)])
        element = _scaled(operand, scale).element
        if not made:
            # SQL has no empty list, and SQLAlchemy's stand-in is false where the operand is null.
            return sa.case((element.is_(sa.null()), sa.null()), else_=sa.false())
        return element.in_([_scaled(option, scale).element for option in made])

    def _like(self, element: Element, expr: Like) -> Element:
        bound, text = self.take(expr.pattern), bind_type(Kind.STRING, self.dialect)
        if self.dialect == SQLITE and not expr.ignore_case:
            # SQLite's LIKE never tells case apart; its GLOB always does.
            return element.op("GLOB", is_comparison=True)(bound(_glob, text))
        pattern = bound(_like, text)
        return element.ilike(pattern, escape="\\") if self._folds(expr) else element.like(pattern, escape="\\")

    def _folds(self, expr: Like) -> bool:
        return expr.ignore_case and self.dialect != SQLITE


def column_operand(table: ModelTable, source: sa.FromClause, name: str) -> Operand:
    """A column of a table, or of an alias of it."""
    storage = table.storages[name]
    return Operand(source.c[name], storage.kind, storage.scale)


def _grouped(element: Element) -> Element:
    """In parentheses unless it is a single name or parameter: SQLAlchemy leaves out some that are needed here, as in
    ``(NOT (a LIKE b)) IS NULL``."""
    return element if isinstance(element, sa.Column | sa.BindParameter) else Grouping(element)


def _glob(pattern: str) -> str:
    wildcards = {"%": "*", "_": "?"}
    return "".join(
        wildcards.get(part) or (f"[{part[-1]}]" if part[-1] in _GLOB_SPECIAL else part[-1])
        for part in like_parts(pattern)
    )


def _like(pattern: str) -> str:
    """The pattern once more, so that a backslash at its end does not upset PostgreSQL."""
    return "".join(
        part if part in ("%", "_") else f"\\{part[-1]}" if part[-1] in "%_\\" else part[-1]
        for part in like_parts(pattern)
    )


def _scaled(operand: Operand, scale: int) -> Operand:
    if operand.scale == scale:
        return operand
    if operand.scaled is not None:
        return Operand(operand.scaled(scale), operand.kind, scale, operand.scaled)
    factor = 10 ** (scale - operand.scale)
    return Operand(operand.element * sa.literal(factor, sa.Integer()), operand.kind, scale)


def _number(value: int | Decimal, *, places: int, scale: int) -> int | float:
    """A constant of SQLite, which compares integers with floats exactly; beyond 64 bits a float is near enough, because
    no stored value is."""
    whole = int(value.normalize().scaleb(places)) if isinstance(value, Decimal) else value
    whole *= 10 ** (scale - places)
    return whole if INT_RANGE[0] <= whole <= INT_RANGE[1] else float(Decimal(whole))


def _wider(first: Kind, second: Kind) -> Kind:
    return next((kind for kind in (Kind.DECIMAL, Kind.FLOAT) if kind in (first, second)), first)
