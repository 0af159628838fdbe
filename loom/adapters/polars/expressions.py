"""Translation of expressions into Polars expressions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from loom.application.etl.constants import plain
from loom.application.etl.text import like_regex
from loom.domain.expr import Binary, Expr, IsIn, IsNull, Like, Literal, Not, Op, Ref, Root
from loom.domain.expr_python import OPERATORS

_OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {
    **OPERATORS,
    # Polars' & and | follow three-valued logic on booleans.
    Op.AND: operator.and_,
    Op.OR: operator.or_,
}


def to_polars(expr: Expr) -> pl.Expr:
    """Translate an expression over columns.

    Args:
        expr: an expression whose references are columns; bind ``params`` before.

    Raises:
        TypeError: it refers to anything else.
    """
    translate = _TRANSLATIONS.get(type(expr))
    if translate is None:
        raise TypeError(f"{expr!r} has no translation into Polars")
    return translate(expr)


def _ref(expr: Ref) -> pl.Expr:
    if expr.ref_root is not Root.COLUMN:
        raise TypeError(f"{expr!r} is not a column; bind it to a value before")
    column = pl.col(expr.ref_path[0])
    for name in expr.ref_path[1:]:
        column = column.struct.field(name)
    return column


def _literal(expr: Literal) -> pl.Expr:
    return pl.lit(plain(expr.value))


def _binary(expr: Binary) -> pl.Expr:
    found: pl.Expr = _OPERATORS[expr.op](to_polars(expr.left), to_polars(expr.right))
    return found


def _is_in(expr: IsIn) -> pl.Expr:
    operand = to_polars(expr.operand)
    # A chain of comparisons compares numbers of different types as == does; is_in refuses them.
    found = [operand == pl.lit(plain(option)) for option in expr.options]
    return pl.any_horizontal(found) if found else pl.when(operand.is_not_null()).then(pl.lit(False))


def _like(expr: Like) -> pl.Expr:
    return to_polars(expr.operand).str.contains(like_regex(expr.pattern, ignore_case=expr.ignore_case))


_TRANSLATIONS: Mapping[type, Callable[[Any], pl.Expr]] = {
    Ref: _ref,
    Literal: _literal,
    Binary: _binary,
    Not: lambda expr: ~to_polars(expr.operand),
    IsNull: lambda expr: to_polars(expr.operand).is_null(),
    IsIn: _is_in,
    Like: _like,
}
