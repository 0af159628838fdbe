"""Types of expressions, found before they run: unknown names and operands that cannot meet."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from loom.domain.expr import ARITHMETIC, COMPARISONS, Binary, Expr, IsIn, IsNull, Like, Literal, Not, Ref
from loom.domain.frozen import frozen
from loom.domain.schema import Kind, logical_type

TypeOf: TypeAlias = Callable[[Ref], Kind | None]
"""Gives the kind of a reference, or ``None`` where it cannot be known. Raises ``LookupError`` for an unknown name."""

_FAMILIES: Mapping[Kind, str] = {
    Kind.INT: "number",
    Kind.FLOAT: "number",
    Kind.DECIMAL: "number",
    Kind.STRING: "text",
    Kind.UUID: "uuid",
    Kind.ENUM: "text",
}


@frozen
class ExprFault:
    """One fault: the smallest expression that has it, the text, and the unknown name if it is one."""

    expr: Expr
    message: str
    unknown: str = ""


@attrs.define
class _Checker:
    type_of: TypeOf
    faults: list[ExprFault] = attrs.field(factory=list)

    def kind(self, expr: Expr) -> Kind | None:
        if isinstance(expr, Ref):
            return self._ref(expr)
        if isinstance(expr, Literal):
            return literal_kind(expr.value)
        if isinstance(expr, Binary):
            return self._binary(expr)
        return self._unary(expr)

    def expect(self, expr: Expr, family: Kind, why: str) -> None:
        found = self.kind(expr)
        if found is not None and _family(found) != _family(family):
            self.faults.append(ExprFault(expr, f"{expr!r} is {found.value}, but {why}"))

    def _ref(self, expr: Ref) -> Kind | None:
        try:
            return self.type_of(expr)
        except LookupError:
            self.faults.append(ExprFault(expr, f"{expr!r} does not exist", unknown=expr.ref_path[-1]))
            return None

    def _binary(self, expr: Binary) -> Kind | None:
        if expr.op not in COMPARISONS | ARITHMETIC:
            for side in (expr.left, expr.right):
                self.expect(side, Kind.BOOL, f"{expr.op.value} takes booleans")
            return Kind.BOOL
        left, right = self.kind(expr.left), self.kind(expr.right)
        if _is_null(expr.left) or _is_null(expr.right):
            self.faults.append(ExprFault(expr, f"{expr!r} is never true; use is_null()"))
        elif left and right and _family(left) != _family(right):
            self.faults.append(ExprFault(expr, f"{expr!r} joins {left.value} with {right.value}"))
        return Kind.BOOL if expr.op in COMPARISONS else left

    def _unary(self, expr: Expr) -> Kind:
        if isinstance(expr, Not):
            self.expect(expr.operand, Kind.BOOL, "~ takes a boolean")
        elif isinstance(expr, Like):
            self.expect(expr.operand, Kind.STRING, "like takes text")
        elif isinstance(expr, IsIn):
            for option in expr.options:
                found = literal_kind(option)
                if found is not None:
                    self.expect(expr.operand, found, f"is_in compares it with {option!r}")
        elif isinstance(expr, IsNull):
            self.kind(expr.operand)
        return Kind.BOOL


def check_predicate(expr: Expr, type_of: TypeOf) -> list[ExprFault]:
    """All faults of a would-be predicate: unknown names, mixed types, a result that is no boolean."""
    checker = _Checker(type_of)
    checker.expect(expr, Kind.BOOL, "a condition is needed")
    return checker.faults


def literal_kind(value: object) -> Kind | None:
    """The kind of a constant; ``None`` where it has none (null, a list)."""
    if value is None:
        return None
    if isinstance(value, enum.Enum):
        return literal_kind(value.value)
    try:
        # datetime is a date in Python, so the exact class decides.
        return Kind.DATETIME if isinstance(value, dt.datetime) else logical_type(type(value)).kind
    except TypeError:
        return None


def _family(kind: Kind) -> str:
    return _FAMILIES.get(kind, kind.value)


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Literal) and expr.value is None
