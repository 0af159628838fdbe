"""From page parameters to the ``Query`` of a use case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loom.application.rest.cursor import Cursors
from loom.application.rest.declare import PaginationMode
from loom.application.rest.plan import PagePlan, RoutePlan
from loom.application.rest.problems import Located
from loom.domain.query import Query

QueryBuilder = Callable[[dict[str, Any], list[Located]], None]
"""Replaces the page parameters among the values by the ``Query`` under the name of its argument."""


def query_builder(route: RoutePlan, cursors: Cursors) -> QueryBuilder:
    """The builder of a route that is paged."""
    page = route.page
    if page is None:
        raise ValueError(f"{route.method} {route.path.text} is not paged")
    if page.mode is PaginationMode.OFFSET:
        return _by_offset(page)
    return _by_cursor(page, route.path.shape, cursors)


def _by_offset(page: PagePlan) -> QueryBuilder:
    def build(params: dict[str, Any], faults: list[Located]) -> None:
        limit, offset = params.pop("limit", page.size), params.pop("offset", 0)
        params[page.argument] = Query(limit=limit, offset=offset, total=True)

    return build


def _by_cursor(page: PagePlan, owner: str, cursors: Cursors) -> QueryBuilder:
    # A query is a value: the one of the first page is made once.
    first = Query(limit=page.size)

    def build(params: dict[str, Any], faults: list[Located]) -> None:
        text, limit = params.pop("cursor", None), params.pop("limit", page.size)
        if text is None and limit == page.size:
            params[page.argument] = first
            return
        # An unknown cursor ends the request, so what is merely misspelt is told first.
        after = cursors.read(owner, text, page.after) if text is not None and not faults else None
        params[page.argument] = Query(limit=limit, after=after)

    return build
