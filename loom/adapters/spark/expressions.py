"""Translation of expressions into Spark columns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - the name by which Spark's users know it

from loom.application.etl.constants import plain
from loom.application.etl.text import like_regex
from loom.domain.expr import Binary, Expr, IsIn, IsNull, Like, Literal, Not, Op, Ref, Root
from loom.domain.expr_python import OPERATORS, like_parts

_OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {
    **OPERATORS,
    Op.AND: operator.and_,
    Op.OR: operator.or_,
}


def to_spark(expr: Expr) -> Column:
    """Translate an expression over columns.

    Args:
        expr: an expression whose references are columns; bind ``params`` before.

    Raises:
        TypeError: it refers to anything else.
    """
    translate = _TRANSLATIONS.get(type(expr))
    if translate is None:
        raise TypeError(f"{expr!r} has no translation into Spark")
    return translate(expr)


def named(name: str) -> Column:
    """A column by its name as it is: dots and spaces in it mean nothing."""
    return F.col(f"`{name.replace('`', '``')}`")


def constant(value: object) -> Column:
    """A constant; an integer has 64 bits, as all integers of a lake have."""
    column = F.lit(value)
    return column.cast("bigint") if isinstance(value, int) and not isinstance(value, bool) else column


def _ref(expr: Ref) -> Column:
    if expr.ref_root is not Root.COLUMN:
        raise TypeError(f"{expr!r} is not a column; bind it to a value before")
    return reduce(lambda column, name: column.getField(name), expr.ref_path[1:], named(expr.ref_path[0]))


def _literal(expr: Literal) -> Column:
    return constant(plain(expr.value))


def _binary(expr: Binary) -> Column:
    found: Column = _OPERATORS[expr.op](to_spark(expr.left), to_spark(expr.right))
    return found


def _is_in(expr: IsIn) -> Column:
    operand = to_spark(expr.operand)
    if not expr.options:
        # Spark answers false for null here; SQL does not allow the question.
        return F.when(operand.isNotNull(), F.lit(False))
    return operand.isin([constant(plain(option)) for option in expr.options])


def _like(expr: Like) -> Column:
    operand = to_spark(expr.operand)
    if expr.ignore_case:
        return operand.rlike(like_regex(expr.pattern, ignore_case=True))
    return operand.like("".join(map(_escaped, like_parts(expr.pattern))))


def _escaped(part: str) -> str:
    """A part of a pattern in Spark's form, which lets a backslash stand only before what needs one."""
    if part in ("%", "_"):
        return part
    return f"\\{part[-1]}" if part[-1] in "%_\\" else part[-1]


_TRANSLATIONS: Mapping[type, Callable[[Any], Column]] = {
    Ref: _ref,
    Literal: _literal,
    Binary: _binary,
    Not: lambda expr: ~to_spark(expr.operand),
    IsNull: lambda expr: to_spark(expr.operand).isNull(),
    IsIn: _is_in,
    Like: _like,
}
