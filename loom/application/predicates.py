"""Predicates made ready for a store: plain constants, and the faults that only a store minds."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from loom.application.fit import LONGEST, text_fault, utc_of
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.expr import (
    ARITHMETIC,
    COMPARISONS,
    LOGIC,
    Binary,
    Expr,
    IsIn,
    IsNull,
    Like,
    Literal,
    Not,
    Ref,
    children,
)
from loom.domain.expr_check import literal_kind
from loom.domain.expr_python import Getter, to_python
from loom.domain.model import FieldSchema
from loom.domain.schema import INT_RANGE, UNORDERED, Kind

KindOf: TypeAlias = Callable[[Ref], Kind]
_UNARY = (Not, IsNull, IsIn, Like)
_NUMBERS = frozenset({Kind.INT, Kind.FLOAT, Kind.DECIMAL})


def stored_kind(field: FieldSchema) -> Kind:
    """The kind that a field's plain values have: an enum of integers is compared and stored as integers."""
    if field.type.kind is Kind.ENUM:
        return Kind.INT if isinstance(field.type.values[0], int) else Kind.STRING
    return field.type.kind


def plain_expression(expr: Expr) -> Expr:
    """The expression with plain constants: an enum's value, UTC, and null for whatever is compared with null.

    Raises:
        InvalidInput: a constant that stores do not take: a datetime without a zone, an integer of over 64 bits, NaN.
    """
    if isinstance(expr, Ref):
        return expr
    if isinstance(expr, Literal):
        plain = _plain_value(expr.value)
        return expr if plain is expr.value else Literal(plain)
    if isinstance(expr, Binary):
        left, right = plain_expression(expr.left), plain_expression(expr.right)
        # Not an error: a predicate may be bound to a caller who has no tenant, and then no row is his.
        if expr.op not in LOGIC and (_is_null(left) or _is_null(right)):
            return Literal(None)
        return expr if left is expr.left and right is expr.right else Binary(expr.op, left, right)
    if isinstance(expr, IsIn):
        return IsIn(plain_expression(expr.operand), tuple([_plain_value(option) for option in expr.options]))
    if not isinstance(expr, _UNARY):
        return expr
    operand = plain_expression(expr.operand)
    return expr if operand is expr.operand else attrs.evolve(expr, operand=operand)


def folded(expr: Expr) -> Expr:
    """A well-typed expression without operations on constants alone, and with null for what is compared with null.

    Stores then meet constants only beside columns, whose type and collation they take on.
    """
    if isinstance(expr, Binary):
        expr = Binary(expr.op, folded(expr.left), folded(expr.right))
        if expr.op not in LOGIC and (_is_null(expr.left) or _is_null(expr.right)):
            return Literal(None)
    elif isinstance(expr, _UNARY):
        expr = attrs.evolve(expr, operand=folded(expr.operand))
    operands = children(expr)
    if operands and all(isinstance(operand, Literal) for operand in operands):
        return Literal(to_python(expr, _no_row)(None))
    return expr


def folds(expr: Expr) -> bool:
    """Whether some part of an expression is an operation on constants alone, so that ``folded`` changes it. Follows
    from the shape of a plain expression."""
    operands = children(expr)
    if operands and all(isinstance(operand, Literal) for operand in operands):
        return True
    return any(map(folds, operands))


def value_kind(expr: Expr, kind_of: KindOf) -> Kind | None:
    """The kind of a well-typed expression's value; ``None`` for null."""
    if isinstance(expr, Ref):
        return kind_of(expr)
    if isinstance(expr, Literal):
        return literal_kind(expr.value)
    if isinstance(expr, Binary) and expr.op in ARITHMETIC:
        return _widest([value_kind(expr.left, kind_of), value_kind(expr.right, kind_of)])
    return Kind.BOOL


def store_faults(expr: Expr, kind_of: KindOf) -> Iterator[str]:
    """What a store refuses in a well-typed expression: operands without an order, arithmetic on anything but numbers,
    floats with decimals."""
    if isinstance(expr, Binary):
        yield from store_faults(expr.left, kind_of)
        yield from store_faults(expr.right, kind_of)
        known = [kind for side in (expr.left, expr.right) if (kind := value_kind(side, kind_of)) is not None]
        yield from _operand_faults(expr, known)
    elif isinstance(expr, _UNARY):
        yield from store_faults(expr.operand, kind_of)
        if not isinstance(expr, IsNull) and value_kind(expr.operand, kind_of) in UNORDERED:
            yield f"{expr!r} compares a column without an order"


def _operand_faults(expr: Binary, kinds: Sequence[Kind]) -> Iterator[str]:
    if expr.op in ARITHMETIC and not _NUMBERS.issuperset(kinds):
        yield f"{expr!r} calculates with {_listed(kind for kind in kinds if kind not in _NUMBERS)}"
    elif expr.op in COMPARISONS and not UNORDERED.isdisjoint(kinds):
        yield f"{expr!r} compares {_listed(kind for kind in kinds if kind in UNORDERED)}, which has no order"
    elif Kind.FLOAT in kinds and Kind.DECIMAL in kinds:
        yield f'{expr!r} mixes a float with a decimal; write Decimal("...")'


def _widest(kinds: Sequence[Kind | None]) -> Kind | None:
    return next((kind for kind in (Kind.DECIMAL, Kind.FLOAT, Kind.INT) if kind in kinds), None)


def _plain_value(value: object) -> object:
    plain = value.value if isinstance(value, enum.Enum) else value
    if plain is None or plain is True or plain is False:
        return plain
    fault = _constant_fault(plain)
    if not fault and isinstance(plain, dt.datetime):
        try:
            return utc_of(plain)
        except ValueError as error:
            fault = str(error)
    if fault:
        raise InvalidInput([FieldError(path=("where",), message=f"{plain!r} {fault}")], subject="query")
    return plain


def _constant_fault(value: object) -> str:
    """Why databases answer differently about a constant, or not at all; such a one may well come from outside."""
    if isinstance(value, str):
        return text_fault(value)
    if isinstance(value, int) and not INT_RANGE[0] <= value <= INT_RANGE[1]:
        return f"is outside {INT_RANGE[0]} to {INT_RANGE[1]}"
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, dt.datetime) and value.utcoffset() is None:
        return "has no time zone"
    if isinstance(value, dt.timedelta) and abs(value) > LONGEST:
        return f"is longer than {LONGEST.days} days"
    return ""


def _no_row(ref: Ref) -> Getter:
    raise LookupError(f"{ref!r} is no constant")


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Literal) and expr.value is None


def _listed(kinds: Iterator[Kind]) -> str:
    return " with ".join(kind.value for kind in kinds)
