"""Random sequences of units of work over a few rows, for whoever compares stores."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from loom.domain.query import Sort
from tests.integration.crud_model import (
    OPERATORS,
    Create,
    CreateMany,
    CreateOwner,
    Delete,
    DeleteOwner,
    Filter,
    Get,
    List,
    Unit,
    Update,
)

_CODES = st.text(alphabet="aAbB_", min_size=1, max_size=2) | st.sampled_from(["a", "b", "too long"])
_TEXTS = st.text(alphabet="aAbB_", max_size=3)
_OWNERS = st.sampled_from(["x", "y", "z"])
_SIZES = st.integers(-3, 3)
_PRICES = st.integers(-300, 300).map(lambda cents: Decimal(cents).scaleb(-2))
_SLOTS = st.integers(0, 7)
_VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "code": _CODES,
    "name": _TEXTS | st.none(),
    "size": _SIZES,
    "price": _PRICES | st.none(),
    "owner": _OWNERS | st.none(),
}
_COMPARED: Mapping[str, st.SearchStrategy[Any]] = {
    "code": _TEXTS, "name": _TEXTS, "size": _SIZES, "price": _PRICES, "owner": _OWNERS
}  # fmt: skip


def _filters() -> st.SearchStrategy[Filter]:
    term = st.sampled_from(sorted(_COMPARED)).flatmap(
        lambda column: st.tuples(st.just(column), st.sampled_from(sorted(OPERATORS)), _COMPARED[column])
    )
    return st.lists(term, max_size=2).map(lambda terms: Filter(tuple(terms)))


def _steps() -> st.SearchStrategy[Any]:
    values = st.fixed_dictionaries({"code": _CODES}, optional={k: v for k, v in _VALUES.items() if k != "code"})
    changes = st.fixed_dictionaries({}, optional=dict(_VALUES))
    sort = st.lists(st.builds(Sort, st.sampled_from(sorted(_VALUES)), st.booleans()), max_size=2).map(tuple)
    return st.one_of(
        st.builds(Create, values),
        st.builds(Create, values),
        st.builds(CreateMany, st.lists(_CODES, max_size=3)),
        st.builds(Get, _SLOTS),
        st.builds(Update, _SLOTS, changes),
        st.builds(Update, _SLOTS, changes),
        st.builds(Delete, _SLOTS),
        st.builds(CreateOwner, _OWNERS),
        st.builds(DeleteOwner, _OWNERS),
        st.builds(
            List, _filters(), sort, st.integers(1, 4), st.integers(0, 3), st.sampled_from(["page", "walk", "stream"])
        ),
    )


def _stock() -> st.SearchStrategy[Unit]:
    """A first unit that leaves something to ask for."""
    values = st.fixed_dictionaries(
        {
            **_VALUES,
            "code": st.text(alphabet="aAbB_", min_size=1, max_size=2),
            "owner": st.sampled_from(["x", "y", None]),
        }
    )
    items = st.lists(values, min_size=1, max_size=6, unique_by=lambda each: each["code"])
    owners = [CreateOwner("x"), CreateOwner("y")]
    return items.map(lambda rows: Unit([*owners, *map(Create, rows)], commits=True, read_only=False))


def units() -> st.SearchStrategy[list[Unit]]:
    """Sequences of units of work over a few rows; most of them commit."""
    ends = st.sampled_from([(True, False), (True, False), (True, False), (False, False), (True, True)])
    unit = st.builds(lambda steps, end: Unit(steps, *end), st.lists(_steps(), min_size=1, max_size=8), ends)
    return st.builds(lambda first, rest: [first, *rest], _stock(), st.lists(unit, min_size=1, max_size=6))
