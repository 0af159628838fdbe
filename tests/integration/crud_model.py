"""A plain dictionary that answers CRUD as every store must, and the steps that both are asked to do.

Each step can be done twice: by a unit of work, and by the dictionary. Rows are known by the order in which they were
created, because stores may leave gaps between the numbers that they give.
"""

import copy
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import attrs

from loom.domain.errors import Conflict, FieldError, InvalidInput, LoomError, ScopeClosed, ScopeFailed
from loom.domain.expr import Expr, col
from loom.domain.model import entity, field, key
from loom.domain.query import Query, Sort
from loom.ports.persistence import UnitOfWork

MISSING = 1_000_000
LONGEST = 4
Row = dict[str, Any]


@entity(table="crud_owners")
class Owner:
    code: str = key(max_length=2)
    name: str = field(max_length=LONGEST)


@entity(table="crud_items")
class Item:
    id: int = key(autoincrement=True)
    code: str = field(max_length=LONGEST, unique=True)
    name: str | None = field(default=None, max_length=LONGEST)
    size: int = 0
    price: Decimal | None = field(default=None, precision=8, scale=2)
    owner: str | None = field(default=None, max_length=2, references="crud_owners.code")


DEFAULTS: Row = {"name": None, "size": 0, "price": None, "owner": None}


@attrs.define
class Handles:
    """The numbers of the items that were created, in that order; a rollback takes its own back."""

    ids: list[int] = attrs.field(factory=list)

    def copy(self) -> "Handles":
        return Handles(list(self.ids))

    def take(self, other: "Handles") -> None:
        self.ids = other.ids

    def id(self, slot: int) -> int:
        """The number of some item that was created, or of none."""
        place = slot % (len(self.ids) + 1)
        return self.ids[place] if place < len(self.ids) else MISSING

    def shown(self, item: Item | None) -> object:
        """An item as an answer."""
        return None if item is None else _shown(item) | {"id": self.ids.index(item.id)}


@attrs.define
class Tables:
    """What the dictionary holds. An item's key is its place among those created."""

    owners: dict[str, Row] = attrs.field(factory=dict)
    items: dict[int, Row] = attrs.field(factory=dict)
    created: int = 0

    def key(self, slot: int) -> int:
        return slot % (self.created + 1)

    def create(self, values: Row) -> Row:
        check_lengths(values)
        row = {"id": self.created, **DEFAULTS, **values}
        self._check(row)
        self.items[self.created] = row
        self.created += 1
        return row

    def update(self, number: int, changes: Row) -> Row | None:
        check_lengths(changes)
        if number not in self.items:
            return None
        row = self.items[number] | changes
        self._check(row)
        self.items[number] = row
        return row

    def _check(self, row: Row) -> None:
        if any(other["code"] == row["code"] for other in self.items.values() if other["id"] != row["id"]):
            raise Conflict("taken", fields=["code"])
        if row["owner"] is not None and row["owner"] not in self.owners:
            raise Conflict("dangling", fields=["owner"])


def _shown(entity: object) -> Row:
    known: Any = entity
    return attrs.asdict(known)


def check_lengths(values: Row) -> None:
    long = [name for name in ("code", "name") if len(values.get(name) or "") > LONGEST]
    if long:
        raise InvalidInput([FieldError(path=(name,), message="too long") for name in long])


class Step(Protocol):
    """Protocol of one call of a repository."""

    writes: bool

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        """The store's answer."""

    def expected(self, tables: Tables) -> object:
        """The dictionary's."""


@attrs.frozen
class Filter:
    """A conjunction of comparisons: column, operator, value. What is compared with null is not kept."""

    terms: tuple[tuple[str, str, Any], ...] = ()

    def expr(self) -> Expr | None:
        found: Expr | None = None
        for column, operator, value in self.terms:
            term = OPERATORS[operator][0](col(column), value)
            found = term if found is None else found & term
        return found

    def keeps(self, row: Row) -> bool:
        return all(OPERATORS[operator][1](row[column], value) for column, operator, value in self.terms)


OPERATORS: Mapping[str, tuple[Any, Any]] = {
    "eq": (lambda column, value: column == value, lambda held, value: held is not None and held == value),
    "ne": (lambda column, value: column != value, lambda held, value: held is not None and held != value),
    "lt": (lambda column, value: column < value, lambda held, value: held is not None and held < value),
    "ge": (lambda column, value: column >= value, lambda held, value: held is not None and held >= value),
    "in": (lambda column, value: column.is_in([value]), lambda held, value: held is not None and held == value),
    "null": (lambda column, value: column.is_null(), lambda held, value: held is None),
    "not null": (lambda column, value: ~column.is_null(), lambda held, value: held is not None),
}


@attrs.frozen
class CreateOwner:
    code: str
    writes = True

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        return _shown(await unit.repository(Owner).create({"code": self.code, "name": "o"}))

    def expected(self, tables: Tables) -> object:
        if self.code in tables.owners:
            raise Conflict("taken", fields=["code"])
        tables.owners[self.code] = {"code": self.code, "name": "o"}
        return tables.owners[self.code]


@attrs.frozen
class DeleteOwner:
    code: str
    writes = True

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        return await unit.repository(Owner).delete(self.code)

    def expected(self, tables: Tables) -> object:
        if self.code in tables.owners and any(row["owner"] == self.code for row in tables.items.values()):
            raise Conflict("still referred to", fields=["code"])
        return tables.owners.pop(self.code, None) is not None


@attrs.frozen
class Create:
    values: Row
    writes = True

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        made = await unit.repository(Item).create(self.values)
        handles.ids.append(made.id)
        return handles.shown(made)

    def expected(self, tables: Tables) -> object:
        return tables.create(self.values)


@attrs.frozen
class CreateMany:
    codes: list[str]
    writes = True

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        items = unit.repository(Item)
        count = await items.create_many([{"code": code} for code in self.codes])
        for code in self.codes:
            made = await items.find(col("code") == code)
            assert made is not None
            handles.ids.append(made.id)
        return count

    def expected(self, tables: Tables) -> object:
        for code in self.codes:
            check_lengths({"code": code})
        return len([tables.create({"code": code}) for code in self.codes])


@attrs.frozen
class Get:
    slot: int
    writes = False

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        return handles.shown(await unit.repository(Item).get(handles.id(self.slot)))

    def expected(self, tables: Tables) -> object:
        return tables.items.get(tables.key(self.slot))


@attrs.frozen
class Update:
    slot: int
    changes: Row
    writes = True

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        return handles.shown(await unit.repository(Item).update(handles.id(self.slot), self.changes))

    def expected(self, tables: Tables) -> object:
        return tables.update(tables.key(self.slot), self.changes)


@attrs.frozen
class Delete:
    slot: int
    writes = True

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        return await unit.repository(Item).delete(handles.id(self.slot))

    def expected(self, tables: Tables) -> object:
        return tables.items.pop(tables.key(self.slot), None) is not None


@attrs.frozen
class List:
    """One page and how many rows there are, all pages one after the other, or all rows in a stream."""

    where: Filter
    sort: tuple[Sort, ...]
    limit: int
    offset: int
    way: str
    writes = False

    async def run(self, unit: UnitOfWork, handles: Handles) -> object:
        items, query = unit.repository(Item), Query(where=self.where.expr(), sort=self.sort, limit=self.limit)
        if self.way == "stream":
            return [handles.shown(item) async for item in items.stream(attrs.evolve(query, limit=None))]
        if self.way == "page":
            page = await items.list(attrs.evolve(query, offset=self.offset, total=True))
            assert page.total == await items.count(query.where)
            return ([handles.shown(item) for item in page.items], page.after is not None, page.total)
        page = await items.list(query)
        found = list(page.items)
        while page.after is not None:
            page = await items.list(attrs.evolve(query, after=page.after))
            found += page.items
        return [handles.shown(item) for item in found]

    def expected(self, tables: Tables) -> object:
        kept = in_order([row for row in tables.items.values() if self.where.keeps(row)], self.sort)
        if self.way != "page":
            return kept
        end = self.offset + self.limit
        return (kept[self.offset : end], len(kept) > end, len(kept))


def in_order(rows: Sequence[Row], sort: Sequence[Sort]) -> list[Row]:
    """Nulls first ascending and last descending, and rows that are equal in the order of their keys."""
    found = sorted(rows, key=lambda row: row["id"])
    for each in reversed(sort):
        column = each.column
        # Also in reverse, rows that are equal stay in their order.
        found.sort(key=lambda row: (row[column] is not None, row[column]), reverse=each.descending)
    return found


@attrs.frozen
class Unit:
    """The steps of one unit of work, and how it ends."""

    steps: list[Any]
    commits: bool
    read_only: bool


@attrs.define
class DictStore:
    """The dictionary as a store: a unit works on a copy, which its commit puts in place."""

    tables: Tables = attrs.field(factory=Tables)

    def answers(self, sequence: Sequence[Unit], refusal: Any) -> list[object]:
        """What each step of each unit must be answered; ``refusal`` shows an error."""
        return [answer for unit in sequence for answer in self._run(unit, refusal)]

    def _run(self, unit: Unit, refusal: Any) -> list[object]:
        answers: list[object] = []
        doomed, copied = False, copy.deepcopy(self.tables)
        for step in unit.steps:
            try:
                if doomed:
                    raise ScopeFailed("a step failed")
                if unit.read_only and step.writes:
                    raise ScopeClosed("read-only")
                answers.append(copy.deepcopy(step.expected(copied)))
            except LoomError as error:
                doomed = doomed or isinstance(error, Conflict)
                answers.append(refusal(error))
        if unit.commits:
            answers.append(refusal(ScopeFailed("a step failed")) if doomed else "committed")
            self.tables = self.tables if doomed else copied
        return answers
