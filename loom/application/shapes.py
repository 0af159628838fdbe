"""Shapes of predicates: what is left of one when its constants are taken out.

Predicates of one shape differ in the values of their constants alone, so that what was found out about one holds for
all: whether operands can meet, and the statement that it becomes. The kind of a constant belongs to the shape, whether
it is null, the decimal places that it has, and how many a list of them holds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from loom.application.related import Inner, Path, Related, Some
from loom.domain.expr import Binary, Expr, IsIn, IsNull, Like, Literal, Not, Ref

MOST_SHAPES: Final = 256
"""Shapes that are remembered of one model: filters come from outside, in as many shapes as somebody likes."""
MOST_CONSTANTS: Final = 256
"""Constants of a shape that is remembered; one with more takes its memory only while it is used."""
_SHORT: Final = 4

Constants: TypeAlias = list[Any]
_Shape: TypeAlias = Callable[[Any, Constants], Hashable]


def shape_of(expr: Expr, constants: Constants) -> Hashable:
    """The shape of a plain predicate. Its constants that are not null are added to ``constants``, from left to right.

    Raises:
        TypeError: an expression of a class that is none of the language.
    """
    shape = _SHAPES.get(type(expr))
    if shape is None:
        raise TypeError(f"{expr!r} is no expression that a store knows")
    return shape(expr, constants)


def places(value: Decimal) -> int:
    """The digits behind the point that a decimal needs."""
    return max(0, -int(value.normalize().as_tuple().exponent))


def padded(options: tuple[Any, ...]) -> tuple[Any, ...]:
    """The options of a list, the last one repeated until there are a power of two: lists of all lengths then have few
    shapes, and who is among the options is still among them."""
    length = len(options)
    if length <= _SHORT:
        return options
    return options + options[-1:] * ((1 << (length - 1).bit_length()) - length)


def _binary(expr: Binary, constants: Constants) -> Hashable:
    # A member's own hash is slow, and its name says as much.
    return (expr.op._name_, shape_of(expr.left, constants), shape_of(expr.right, constants))


def _literal(expr: Literal, constants: Constants) -> Hashable:
    return _constant(expr.value, constants)


def _constant(value: Any, constants: Constants) -> Hashable:
    if value is None:
        return None
    constants.append(value)
    kind: type = type(value)
    return (kind, places(value)) if isinstance(value, Decimal) else kind


def _ref(expr: Ref, constants: Constants) -> Hashable:
    return (expr.ref_root._name_, expr.ref_path)


def _not(expr: Not, constants: Constants) -> Hashable:
    return ("not", shape_of(expr.operand, constants))


def _is_null(expr: IsNull, constants: Constants) -> Hashable:
    return ("null", shape_of(expr.operand, constants))


def _is_in(expr: IsIn, constants: Constants) -> Hashable:
    operand = shape_of(expr.operand, constants)
    return ("in", operand, tuple([_constant(option, constants) for option in padded(expr.options)]))


def _like(expr: Like, constants: Constants) -> Hashable:
    operand = shape_of(expr.operand, constants)
    constants.append(expr.pattern)
    return ("like", operand, expr.ignore_case)


def _related(expr: Related, constants: Constants) -> Hashable:
    return ("related", _way(expr.related_path), expr.related_column)


def _inner(expr: Inner, constants: Constants) -> Hashable:
    return ("inner", _way(expr.inner_path), expr.inner_column)


def _some(expr: Some, constants: Constants) -> Hashable:
    return ("some", _way(expr.some_path), shape_of(expr.some_operand, constants))


def _way(path: Path) -> Hashable:
    # Relations are made once, and live as long as their model.
    return tuple([id(relation) for relation in path])


_SHAPES: Mapping[type, _Shape] = {
    Binary: _binary,
    Literal: _literal,
    Ref: _ref,
    Not: _not,
    IsNull: _is_null,
    IsIn: _is_in,
    Like: _like,
    Related: _related,
    Inner: _inner,
    Some: _some,
}
