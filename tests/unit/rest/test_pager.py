"""Cursors of lists stay what they are: a client may hold one from before a release."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.application.rest.cursor import Cursors
from loom.application.rest.declare import PaginationMode
from loom.application.rest.pages import Pager
from loom.application.rest.plan import PagePlan, ParameterPlan
from loom.application.rest.problems import UnknownCursor
from loom.domain.expr import col
from loom.domain.model import entity, field, key, schema_of
from loom.domain.query import Page, Query, Sort
from loom.domain.schema import Kind, LogicalType

TEXT = LogicalType(kind=Kind.STRING, python=str)
CURSORS = Cursors(b"secret")
AT = dt.datetime(2013, 1, 1, 8, tzinfo=dt.UTC)


@entity(table="paged_things")
class Thing:
    ident: int = key(autoincrement=True)
    price: Decimal | None = field(default=None, precision=8, scale=2)
    made: dt.datetime | None = None
    facts: dict[str, str] = field(factory=dict)


@pytest.fixture
def pager() -> Pager:
    page = PagePlan(
        argument="query",
        mode=PaginationMode.CURSOR,
        size=10,
        row=schema_of(Thing),
        parameters=tuple(ParameterPlan(name=name, type=TEXT, required=False, read=str) for name in ("cursor", "sort")),
        filters=(),
    )
    return Pager(page, "/things", CURSORS, JsonCodec().unstructure)


def test_a_token_of_an_earlier_release_is_read(pager: Pager) -> None:
    assert CURSORS.issue("/things?None&()", ["7"]) == "brDPcASw7KHuE58X0DzTOFsiNyJd"
    assert pager.query({"cursor": CURSORS.issue("/things?None&()", ["7"])}).after == (7,)


@pytest.mark.parametrize(
    ("query", "after", "owner", "texts"),
    [
        (Query(), (7,), "/things?None&()", ["7"]),
        (
            Query(sort=(Sort("price", descending=True),)),
            (Decimal("2.50"), 7),
            "/things?None&(Sort(column='price', descending=True),)",
            ["2.50", "7"],
        ),
        (
            Query(sort=(Sort("made"), Sort("price"))),
            (AT, None, 7),
            "/things?None&(Sort(column='made', descending=False), Sort(column='price', descending=False))",
            ["2013-01-01T08:00:00Z", None, "7"],
        ),
        (Query(where=col("ident") > 3), (7,), "/things?(col('ident') > 3)&()", ["7"]),
    ],
)
def test_a_token_says_what_it_always_said(
    pager: Pager, query: Query, after: tuple[Any, ...], owner: str, texts: list[str | None]
) -> None:
    for _ in range(2):
        issued = pager.following(query, Page(items=(), after=after))
        assert issued == CURSORS.issue(owner, texts)
        if query.where is None:
            assert pager.query({"cursor": issued, "sort": query.sort}).after == after


@pytest.mark.parametrize("texts", [["seven"], ["7", "8"], []])
def test_a_token_that_does_not_fit_the_key_is_unknown(pager: Pager, texts: list[str]) -> None:
    with pytest.raises(UnknownCursor):
        pager.query({"cursor": CURSORS.issue("/things?None&()", texts)})


@pytest.mark.parametrize("column", ["facts", "gone"])
def test_a_column_without_a_text_form_has_no_position(pager: Pager, column: str) -> None:
    sort = (Sort(column),)
    with pytest.raises(UnknownCursor):
        pager.query({"cursor": CURSORS.issue(f"/things?None&{sort!r}", ["x", "7"]), "sort": sort})
