"""Lists: the page parameters of a route, and how their values become the ``Query`` of its use case."""

from __future__ import annotations

import json
import typing
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any, Final

import attrs

from loom.application.compile import Issues
from loom.application.conversion.faults import Faults
from loom.application.profiles import Profile as Loaded
from loom.application.recent import Recent
from loom.application.rest.cursor import Cursors
from loom.application.rest.declare import PaginationMode, RestInterface
from loom.application.rest.filters import compile_filters, compile_sorts
from loom.application.rest.plan import FilterPlan, PagePlan, ParameterPlan
from loom.application.rest.problems import UnknownCursor
from loom.application.rest.profiles import PARAMETER, answers_of, compile_profile
from loom.application.rest.sparse import compile_fields
from loom.application.rest.text import Reader, integer_between, text_reader
from loom.application.usecase.plan import UseCasePlan
from loom.domain.errors import Place
from loom.domain.expr import Expr
from loom.domain.model import ModelSchema
from loom.domain.query import Page, Query, Sort
from loom.domain.schema import INT_RANGE, Kind, LogicalType

Unstructure = Callable[[Any], Any]
_MOST_SORTS: Final = 64
"""Orders of an unfiltered list whose text is kept: a client puts them together from all columns that it may sort by."""


@attrs.frozen(eq=False, kw_only=True, repr=False)
class ListRules:
    """How the lists of one interface are asked for. Filters and sorts are those of its own model."""

    mode: PaginationMode
    size: int
    model: type | None
    parameters: tuple[ParameterPlan, ...]
    filters: tuple[FilterPlan, ...] = ()
    sort: ParameterPlan | None = None
    fields: ParameterPlan | None = None
    profile: ParameterPlan | None = None
    default_profile: str = ""
    answers: Mapping[str, Loaded | None] = attrs.field(factory=dict)


def list_rules(
    interface: type[RestInterface[Any]], schema: ModelSchema | None, where: Place, issues: Issues
) -> ListRules:
    """Read the list options of an interface over a model, once for all its routes."""
    rules = ListRules(
        mode=interface.pagination_mode,
        size=interface.page_size,
        model=None if schema is None else schema.model,
        parameters=_paging(interface),
    )
    if schema is not None:
        rules = attrs.evolve(
            rules,
            filters=compile_filters(interface, schema, where, issues),
            sort=compile_sorts(interface, schema, where, issues),
            fields=compile_fields(interface, schema, where, issues),
            profile=compile_profile(interface, schema, where, issues),
            default_profile=interface.default_profile,
            answers=answers_of(interface, schema),
        )
        _check_filters(interface, rules, where, issues)
        return rules
    for option in ("filters", "sorts", "fields", "profiles", "default_profile"):
        if getattr(interface, option):
            issues.add(
                "LOOM-REST-019", where, f"{option} has no effect without an entity", "name it: RestInterface[Model]"
            )
    return rules


def _check_filters(interface: type[RestInterface[Any]], rules: ListRules, where: Place, issues: Issues) -> None:
    """Record filters that bear the name of what every list is asked for with: one of the two would never be heard."""
    reserved = {each.name for each in (*rules.parameters, rules.sort, rules.fields, rules.profile) if each is not None}
    for held in rules.filters:
        if held.parameter.name in reserved:
            name = held.parameter.name
            issues.add(
                "LOOM-REST-021",
                where,
                f"{interface.__name__}.filters: {name} is the page parameter {name!r} already",
                f"leave it out, or give the column another name on {interface.__name__}'s entity",
            )


def compile_page(
    names: Sequence[str], row: ModelSchema | None, plan: UseCasePlan, rules: ListRules, where: Place, issues: Issues
) -> PagePlan | None:
    """The paging of a use case that takes a ``Query`` and returns a ``Page``.

    Args:
        names: parameters of the use case that are annotated ``Query``.
        row: the model of the page, where a page is what it returns.
        plan: the use case.
        rules: those of the interface.
        where: the route, for issues.
        issues: takes what is wrong.
    """
    whole = typing.get_origin(plan.result) is AsyncIterator
    if not names and (row is None or whole):
        return None
    if len(names) != 1 or row is None:
        issues.add(
            "LOOM-REST-018",
            where,
            f"{plan.name} takes {len(names)} Query and returns {'a' if row else 'no'} Page",
            "a list takes one parameter `query: Query` and returns Page[Model]",
        )
        return None
    if not row.keys and rules.mode is PaginationMode.CURSOR and not whole:
        issues.add(
            "LOOM-REST-003",
            where,
            f"{row.name} has no key, so a cursor cannot continue behind one of its rows",
            "declare a key(), or set pagination_mode = PaginationMode.OFFSET",
        )
        return None
    own = row.model is rules.model
    return PagePlan(
        argument=names[0],
        mode=rules.mode,
        size=None if whole else rules.size,
        row=row,
        parameters=(
            *(() if whole else rules.parameters),
            *((rules.sort,) if own and rules.sort else ()),
            *((rules.profile,) if own and rules.profile else ()),
        ),
        filters=rules.filters if own else (),
        profile=rules.default_profile if own else "",
    )


class Pager:
    """Turns page parameters into a query, and the end of a page into a cursor. Made once for a route."""

    def __init__(self, page: PagePlan, path: str, cursors: Cursors, unstructure: Unstructure) -> None:
        self.argument = page.argument
        self._page = page
        self._path = path
        self._cursors = cursors
        self._unstructure = unstructure
        self._names = {plan.name for plan in page.parameters} | {plan.parameter.name for plan in page.filters}
        self._counts = page.mode is PaginationMode.OFFSET and page.size is not None
        # A query is a value: the one of the first page is made once.
        self._first = Query(limit=page.size, total=self._counts, profile=page.profile)
        self._readers: dict[str, Reader] = {}
        self._keys = tuple(key.name for key in page.row.keys)
        self._owners: Recent[str] = Recent(_MOST_SORTS)

    def query(self, params: dict[str, Any]) -> Query:
        """Take the page parameters out of ``params`` and give the query that they ask for.

        Raises:
            UnknownCursor: the cursor leads to no page of this list.
        """
        if self._names.isdisjoint(params):
            return self._first
        where = self._where(params)
        sort: tuple[Sort, ...] = params.pop("sort", ())
        cursor = params.pop("cursor", None)
        return Query(
            where=where,
            sort=sort,
            limit=params.pop("limit", self._page.size),
            offset=params.pop("offset", 0),
            after=None if cursor is None else self._position(where, sort, cursor),
            total=self._counts,
            profile=params.pop(PARAMETER, self._page.profile),
        )

    def following(self, query: Query, page: Page[Any]) -> str | None:
        """The cursor of the next page, or ``None`` on the last one."""
        if page.after is None:
            return None
        owner = self._owner(query.where, query.sort)
        return self._cursors.issue(owner, [self._text(value) for value in page.after])

    def _where(self, params: dict[str, Any]) -> Expr | None:
        held = [
            plan.build(params.pop(plan.parameter.name)) for plan in self._page.filters if plan.parameter.name in params
        ]
        return reduce(and_, held) if held else None

    def _position(self, where: Expr | None, sort: tuple[Sort, ...], cursor: str) -> tuple[Any, ...]:
        texts = self._cursors.read(self._owner(where, sort), cursor)
        columns = dict.fromkeys([*[each.column for each in sort], *self._keys])
        try:
            found = zip(columns, texts, strict=True)
            return tuple([None if text is None else self._reader(name)(text) for name, text in found])
        except (Faults, ValueError):  # issued before the key or a column changed
            raise UnknownCursor from None

    def _reader(self, column: str) -> Reader:
        """What reads the text of a column; made when a cursor first names it, as few ever are."""
        found = self._readers.get(column)
        if found is None:
            entry = self._page.row.field(column)
            read = text_reader(attrs.evolve(entry.type, nullable=False)) if entry is not None else None
            found = self._readers[column] = read or _unreadable
        return found

    def _text(self, value: Any) -> str | None:
        if type(value) is int:
            return str(value)
        plain = self._unstructure(value)
        return plain if plain is None or isinstance(plain, str) else json.dumps(plain)

    def _owner(self, where: Expr | None, sort: tuple[Sort, ...]) -> str:
        """The list that a cursor belongs to. Tokens hold a digest of this text, so it stays what it is."""
        if where is not None:
            return f"{self._path}?{where!r}&{sort!r}"
        found = self._owners.get(sort)
        return self._owners.put(sort, f"{self._path}?None&{sort!r}") if found is None else found


def _unreadable(text: str) -> Any:
    raise ValueError(text)


def _paging(interface: type[RestInterface[Any]]) -> tuple[ParameterPlan, ...]:
    limit = _number(
        "limit",
        f"most rows of the page, up to {interface.max_page_size}",
        low=1,
        high=interface.max_page_size,
        default=interface.page_size,
    )
    if interface.pagination_mode is PaginationMode.OFFSET:
        return limit, _number("offset", "rows to skip", low=0, high=INT_RANGE[1], default=0)
    text = LogicalType(kind=Kind.STRING, python=str)
    description = "`next_cursor` of the page before; leave it out for the first page"
    return limit, ParameterPlan(name="cursor", type=text, required=False, read=str, description=description)


def _number(name: str, description: str, *, low: int, high: int, default: int) -> ParameterPlan:
    return ParameterPlan(
        name=name,
        type=LogicalType(kind=Kind.INT, python=int),
        required=False,
        read=integer_between(low, high),
        default=default,
        description=description,
        bounds=(low, high),
    )
