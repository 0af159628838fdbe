"""The generated predicates are well typed and tell rows apart: a strategy that yields nonsense proves nothing."""

from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from loom.domain.expr import Expr, Ref, children
from loom.domain.expr_check import check_predicate
from loom.domain.schema import Kind
from loom.testing.expressions import COLUMNS, Row, expressions, kept_by_python, rows

QUICK = settings(phases=[Phase.generate], deadline=None, derandomize=True, max_examples=2000)


def kind_of(ref: Ref) -> Kind:
    return COLUMNS[ref.ref_path[0]]


@settings(max_examples=200, deadline=None)
@given(expressions(COLUMNS))
def test_every_predicate_is_well_typed(predicate: Expr) -> None:
    assert check_predicate(predicate, kind_of) == []


@settings(max_examples=200, deadline=None)
@given(rows(COLUMNS), expressions(COLUMNS))
def test_every_predicate_runs_in_python(table: list[Row], predicate: Expr) -> None:
    kept = kept_by_python(table, predicate)
    assert kept == sorted(set(kept))
    assert not set(kept) & set(kept_by_python(table, ~predicate))


def test_some_predicate_keeps_some_rows_and_drops_others() -> None:
    def splits(drawn: tuple[list[Row], Expr]) -> bool:
        table, predicate = drawn
        return 0 < len(kept_by_python(table, predicate)) < len(table) and len(children(predicate)) == 2

    assert find(st.tuples(rows(COLUMNS), expressions(COLUMNS)), splits, settings=QUICK)


def test_some_row_is_neither_kept_nor_kept_by_the_negation() -> None:
    """A null makes both a predicate and its negation unknown."""

    def is_unknown(drawn: tuple[list[Row], Expr]) -> bool:
        table, predicate = drawn
        return len(kept_by_python(table, predicate)) + len(kept_by_python(table, ~predicate)) < len(table)

    assert find(st.tuples(rows(COLUMNS), expressions(COLUMNS)), is_unknown, settings=QUICK)
