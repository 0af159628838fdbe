"""Translation of predicates into SQL. Takes what ``QueryPlan.predicate`` gives: checked, plain and folded.

SQL's logic has the three values already. What is left are the places where databases differ from each other or from
the language: ``IN ()``, the case of ``LIKE``, and decimals on SQLite, which are integers there (see ``storage``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.sql.elements import Grouping

from loom.adapters.sqlalchemy.storage import SQLITE, bind_type, constant
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.domain.expr import ARITHMETIC, LOGIC, Binary, Expr, IsIn, IsNull, Like, Literal, Not, Op, Ref
from loom.domain.expr_check import literal_kind
from loom.domain.expr_python import OPERATORS, like_parts
from loom.domain.schema import INT_RANGE, Kind

Element: TypeAlias = ColumnElement[Any]

_OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {
    **OPERATORS,
    Op.AND: sa.and_,
    Op.OR: sa.or_,
}
_GLOB_SPECIAL = "*?["


@attrs.frozen(eq=False)
class Operand:
    """A translated part: its SQL, the kind of its value, and the power of ten by which a decimal is scaled."""

    element: Element
    kind: Kind
    scale: int = 0


@attrs.frozen(eq=False)
class Translator:
    """Translates the predicates of one table for one database. ``reach`` translates references to other tables."""

    table: ModelTable
    dialect: str
    reach: Callable[[Ref], Operand] | None = None

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
        if kind is Kind.DECIMAL and self.dialect == SQLITE:
            exact = value.normalize()
            scale = max(0, -int(exact.as_tuple().exponent))
            return Operand(_number(int(exact.scaleb(scale))), kind, scale)
        return Operand(self._bound(value, kind), kind)

    def _bound(self, value: Any, kind: Kind) -> Element:
        return sa.bindparam(None, constant(value, kind, self.dialect), type_=bind_type(kind, self.dialect), unique=True)

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
            return self._is_in(self._operand(expr.operand, Kind.BOOL), expr.options)
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
        parts = like_parts(expr.pattern)
        if self.dialect == SQLITE and not expr.ignore_case:
            # SQLite's LIKE never tells case apart; its GLOB always does.
            return element.op("GLOB", is_comparison=True)(self._bound(_glob(parts), Kind.STRING))
        pattern = self._bound(_like(parts), Kind.STRING)
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


def _glob(parts: list[str]) -> str:
    wildcards = {"%": "*", "_": "?"}
    return "".join(
        wildcards.get(part) or (f"[{part[-1]}]" if part[-1] in _GLOB_SPECIAL else part[-1]) for part in parts
    )


def _like(parts: list[str]) -> str:
    """The pattern once more, so that a backslash at its end does not upset PostgreSQL."""
    return "".join(
        part if part in ("%", "_") else f"\\{part[-1]}" if part[-1] in "%_\\" else part[-1] for part in parts
    )


def _scaled(operand: Operand, scale: int) -> Operand:
    if operand.scale == scale:
        return operand
    factor = 10 ** (scale - operand.scale)
    if isinstance(operand.element, sa.BindParameter) and isinstance(operand.element.value, int):
        return Operand(_number(operand.element.value * factor), operand.kind, scale)
    return Operand(operand.element * sa.literal(factor, sa.Integer()), operand.kind, scale)


def _number(value: int) -> Element:
    """A constant of SQLite, which compares integers with floats exactly; beyond 64 bits a float is near enough, because
    no stored value is."""
    if INT_RANGE[0] <= value <= INT_RANGE[1]:
        return sa.bindparam(None, value, type_=sa.Integer(), unique=True)
    return sa.bindparam(None, float(Decimal(value)), type_=sa.Double(), unique=True)


def _wider(first: Kind, second: Kind) -> Kind:
    return next((kind for kind in (Kind.DECIMAL, Kind.FLOAT) if kind in (first, second)), first)
