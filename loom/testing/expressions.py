"""Hypothesis strategies for expressions and for rows to run them on: whoever translates expressions proves it here.

Every predicate is well typed, so it has one meaning, and every adapter must keep the same rows of the same table:

    @given(st.data())
    def test_agrees(data):
        table = data.draw(rows(COLUMNS))
        predicate = data.draw(expressions(COLUMNS))
        assert kept_by_my_engine(table, predicate) == kept_by_python(table, predicate)

The values are chosen so that a difference is a difference of meaning: integers too small to overflow, floats that are
exact in binary and never NaN, decimals of two places, text over an alphabet that holds both cases and the wildcards of
``LIKE``. Nulls appear in every column.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import strategies as st

from loom.domain.expr import Binary, Expr, Literal, Op, col
from loom.domain.expr_python import mapping_getter, to_python
from loom.domain.schema import Kind

Row: TypeAlias = dict[str, Any]
_Expressions: TypeAlias = st.SearchStrategy[Expr]

COLUMNS: Mapping[str, Kind] = {
    "i": Kind.INT,
    "j": Kind.INT,
    "x": Kind.FLOAT,
    "d": Kind.DECIMAL,
    "e": Kind.DECIMAL,
    "s": Kind.STRING,
    "t": Kind.STRING,
    "b": Kind.BOOL,
    "day": Kind.DATE,
    "at": Kind.DATETIME,
}
"""A table that has two columns of the kinds that most often meet each other."""

_MIDNIGHT = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
_TEXT = st.text(alphabet="abAB%_\\", max_size=4)
_PATTERNS = st.lists(st.sampled_from(["a", "b", "A", "B", "%", "_", "\\%", "\\_", "\\\\"]), max_size=4).map("".join)
_COMPARISONS = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)

VALUES: Mapping[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    Kind.INT: st.integers(-4, 4),
    Kind.FLOAT: st.integers(-16, 16).map(lambda eighths: eighths / 8),
    Kind.DECIMAL: st.integers(-300, 300).map(lambda cents: Decimal(cents).scaleb(-2)),
    Kind.STRING: _TEXT,
    Kind.BYTES: st.binary(max_size=2),
    Kind.DATE: st.integers(0, 5).map(lambda days: _MIDNIGHT.date() + dt.timedelta(days=days)),
    Kind.TIME: st.integers(0, 5).map(lambda hours: dt.time(hours, 30)),
    Kind.DATETIME: st.integers(-5, 5).map(lambda hours: _MIDNIGHT + dt.timedelta(hours=hours, microseconds=hours % 3)),
    Kind.DURATION: st.integers(-5, 5).map(lambda minutes: dt.timedelta(minutes=minutes)),
    Kind.UUID: st.integers(0, 5).map(lambda number: uuid.UUID(int=number)),
}
"""Values of each kind that expressions compare. The kinds that are missing (JSON, arrays, structs) have no order."""

# What may meet in one comparison. A float and a decimal may not: Python refuses their sum.
_MEETS: Mapping[Kind, tuple[Kind, ...]] = {
    Kind.INT: (Kind.INT, Kind.FLOAT, Kind.DECIMAL),
    Kind.FLOAT: (Kind.FLOAT, Kind.INT),
    Kind.DECIMAL: (Kind.DECIMAL, Kind.INT),
}


def expressions(columns: Mapping[str, Kind], *, max_leaves: int = 8) -> _Expressions:
    """Predicates over the given columns: every operator, mixed numbers, nested logic.

    Args:
        columns: name and kind of each column; kinds without an order appear under ``is_null`` only.
        max_leaves: about how many comparisons one predicate holds at most.
    """
    return st.recursive(_leaf(columns), _nested, max_leaves=max_leaves)


def rows(columns: Mapping[str, Kind], *, max_size: int = 8) -> st.SearchStrategy[list[Row]]:
    """Small tables over the given columns, nulls in every one; duplicates are likely, and meant to be."""
    return st.lists(row(columns), max_size=max_size)


def row(columns: Mapping[str, Kind]) -> st.SearchStrategy[Row]:
    """One row over the given columns."""
    return st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in columns.items()})


def kept_by_python(table: list[Row], predicate: Expr) -> list[int]:
    """Positions of the rows that the predicate keeps, by the reference translation."""
    keeps = to_python(predicate, mapping_getter)
    return [position for position, each in enumerate(table) if keeps(each) is True]


def _leaf(columns: Mapping[str, Kind]) -> _Expressions:
    made: list[_Expressions] = [st.sampled_from(sorted(columns)).map(lambda name: col(name).is_null())]
    for kind in sorted(set(columns.values()) & VALUES.keys(), key=lambda each: each.value):
        made += [_comparison(columns, kind), _membership(columns, kind)]
    if Kind.STRING in columns.values():
        text = _columns(columns, Kind.STRING)
        made.append(st.builds(lambda operand, pattern, fold: operand.like(pattern, ignore_case=fold), text, _PATTERNS,
                              st.booleans()))  # fmt: skip
    if Kind.BOOL in columns.values():
        made.append(_columns(columns, Kind.BOOL))
    return st.one_of(made)


def _nested(inner: _Expressions) -> _Expressions:
    two: Callable[[Op], _Expressions] = lambda op: st.builds(Binary, st.just(op), inner, inner)  # noqa: E731
    return st.one_of(
        two(Op.AND),
        two(Op.OR),
        inner.map(lambda operand: ~operand),
        inner.map(lambda operand: operand.is_null()),
        st.builds(Binary, st.sampled_from([Op.EQ, Op.NE]), inner, inner | st.booleans().map(Literal)),
    )


def _comparison(columns: Mapping[str, Kind], kind: Kind) -> _Expressions:
    partners = [each for each in _MEETS.get(kind, (kind,)) if each is kind or each in columns.values()]
    operators = st.sampled_from(_COMPARISONS[:2] if kind is Kind.BOOL else _COMPARISONS)
    others = st.one_of([_operand(columns, each) for each in partners])
    forwards = st.builds(Binary, operators, _operand(columns, kind), others)
    backwards = st.builds(Binary, operators, others, _operand(columns, kind))
    return forwards | backwards


def _membership(columns: Mapping[str, Kind], kind: Kind) -> _Expressions:
    options = st.lists(VALUES[kind], max_size=3)
    return st.builds(lambda operand, values: operand.is_in(values), _columns(columns, kind), options)


def _operand(columns: Mapping[str, Kind], kind: Kind) -> _Expressions:
    simple = _columns(columns, kind) | VALUES[kind].map(Literal)
    if kind not in _MEETS:
        return simple
    # One product and one sum at most keep every intermediate value exact in a float and in two decimal places.
    factor = (_columns(columns, Kind.INT) if Kind.INT in columns.values() else st.nothing()) | VALUES[Kind.INT].map(
        Literal
    )
    product = st.builds(Binary, st.just(Op.MUL), _columns(columns, kind), factor)
    return simple | st.builds(Binary, st.sampled_from([Op.ADD, Op.SUB]), simple, simple | product) | product


def _columns(columns: Mapping[str, Kind], kind: Kind) -> _Expressions:
    return st.sampled_from([name for name in sorted(columns) if columns[name] is kind]).map(col)
