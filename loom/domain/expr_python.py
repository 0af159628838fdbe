"""Translation of expressions into Python closures: rules, stream routing and the memory adapters run on it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from loom.domain.expr import LOGIC, Binary, Expr, IsIn, IsNull, Like, Literal, Not, Op, Ref
from loom.domain.frozen import frozen

Getter: TypeAlias = Callable[[Any], Any]
"""Takes the row (whatever it is) and returns one value of it."""

OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
}
"""Python's own operators; libraries overload them, so that they build columns and clauses as well."""


def to_python(expr: Expr, getter: Callable[[Ref], Getter]) -> Getter:
    """Translate an expression into a closure over rows.

    Args:
        expr: any expression.
        getter: gives, once per reference, the function that reads its value from a row. The row's type is the
            caller's affair.

    Returns:
        A function from a row to the value of the expression; booleans are ``True``, ``False`` or ``None``.
    """
    if isinstance(expr, Ref):
        return getter(expr)
    if isinstance(expr, Literal):
        value = expr.value
        return lambda row: value
    if isinstance(expr, Binary):
        return _binary(expr, getter)
    return _unary(expr, getter)


def attribute_getter(ref: Ref) -> Getter:
    """A getter for rows that are objects: follows the path by attribute; a null on the way makes the whole null."""
    path = ref.ref_path
    if len(path) == 1:
        return operator.attrgetter(path[0])

    def read(row: Any) -> Any:
        for name in path:
            if row is None:
                return None
            row = row.get(name) if isinstance(row, Mapping) else getattr(row, name)
        return row

    return read


def mapping_getter(ref: Ref) -> Getter:
    """A getter for rows that are dictionaries of columns."""
    name = ".".join(ref.ref_path)
    return lambda row: row[name]


def like_matcher(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    """Tells whether a text fits a SQL ``LIKE`` pattern.

    The pieces between the ``%`` are of fixed length, and each is looked for right behind the one before. A regular
    expression of the whole would go back and forth between them, with a time that grows by a power for each ``%``.
    """
    first, *rest = _like_pieces(pattern, ignore_case)
    if not rest:
        return lambda text: first.regex.fullmatch(text) is not None
    *middle, last = rest

    def matches(text: str) -> bool:
        start, end = first.length, len(text) - last.length
        if start > end or not first.regex.match(text) or not last.regex.match(text, end):
            return False
        for piece in middle:
            found = piece.regex.search(text, start, end)
            if found is None:
                return False
            start = found.end()
        return True

    return matches


@frozen
class _LikePiece:
    """A part of a pattern without ``%``: what it fits, and how many characters that has."""

    regex: re.Pattern[str]
    length: int


def _like_pieces(pattern: str, ignore_case: bool) -> list[_LikePiece]:
    # ASCII: databases fold the case of other letters by locale, so that two of them would answer differently.
    flags = re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else 0)
    pieces: list[list[str]] = [[]]
    for part in like_parts(pattern):
        if part == "%":
            pieces.append([])
        else:
            pieces[-1].append("." if part == "_" else re.escape(part[-1]))
    return [_LikePiece(re.compile("".join(piece), flags), len(piece)) for piece in pieces]


def like_parts(pattern: str) -> list[str]:
    """The parts of a SQL ``LIKE`` pattern: ``%``, ``_``, or text whose last character stands for itself."""
    return re.findall(r"\\.|.", pattern, flags=re.DOTALL)


def _binary(expr: Binary, getter: Callable[[Ref], Getter]) -> Getter:
    left, right = to_python(expr.left, getter), to_python(expr.right, getter)
    if expr.op in LOGIC:
        return _and(left, right) if expr.op is Op.AND else _or(left, right)
    apply = OPERATORS[expr.op]

    def evaluate(row: Any) -> Any:
        first = left(row)
        if first is None:
            return None
        second = right(row)
        return None if second is None else apply(first, second)

    return evaluate


def _and(left: Getter, right: Getter) -> Getter:
    def evaluate(row: Any) -> bool | None:
        first = left(row)
        if first is False:
            return False
        second = right(row)
        if second is False:
            return False
        return None if first is None or second is None else True

    return evaluate


def _or(left: Getter, right: Getter) -> Getter:
    def evaluate(row: Any) -> bool | None:
        first = left(row)
        if first is True:
            return True
        second = right(row)
        if second is True:
            return True
        return None if first is None or second is None else False

    return evaluate


def _unary(expr: Expr, getter: Callable[[Ref], Getter]) -> Getter:
    if not isinstance(expr, Not | IsNull | IsIn | Like):
        raise TypeError(f"{expr!r} has no translation into Python")
    operand = to_python(expr.operand, getter)
    if isinstance(expr, IsNull):
        return lambda row: operand(row) is None
    if isinstance(expr, Not):
        return _null_safe(operand, operator.not_)
    if isinstance(expr, IsIn):
        options = expr.options
        return _null_safe(operand, lambda value: value in options)
    match = like_matcher(expr.pattern, ignore_case=expr.ignore_case)
    return _null_safe(operand, match)


def _null_safe(operand: Getter, apply: Callable[[Any], bool]) -> Getter:
    def evaluate(row: Any) -> bool | None:
        value = operand(row)
        return None if value is None else apply(value)

    return evaluate
