"""A repository that knows only the rows of a scope: others do not exist for it, and none can be put outside."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import attrs

from loom.domain.absent import ABSENT
from loom.domain.errors import Forbidden
from loom.domain.expr import Expr, Ref
from loom.domain.expr_python import Getter, attribute_getter, to_python
from loom.domain.query import Page, Query
from loom.ports.persistence import Repository

M = TypeVar("M")


@attrs.frozen(eq=False, repr=False)
class BoundScope:
    """The scope of one caller: the predicate, the same in Python, and the values that columns must have."""

    model: str
    where: Expr
    holds: Callable[[Any], Any]
    values: Mapping[str, Any]

    @classmethod
    def of(cls, model: str, where: Expr, values: Mapping[str, Any]) -> BoundScope:
        """A scope without open references but columns."""
        return cls(model, where, to_python(where, _plain_getter), values)

    def within(self, where: Expr | None) -> Expr:
        """A predicate narrowed to the scope."""
        return self.where if where is None else self.where & where

    def seen(self, row: M | None) -> M | None:
        """The row where it is inside."""
        return row if row is not None and self.holds(row) is True else None

    def require(self, row: M) -> M:
        """The row that was written.

        Raises:
            Forbidden: it is outside; what wrote it is undone with its unit of work.
        """
        if self.holds(row) is not True:
            raise Forbidden(f"the caller may not put {self.model} rows there")
        return row

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse values that would put a row outside, before the store is asked: it might tell of rows out there.

        Raises:
            Forbidden: a column is given another value than it must have.
        """
        for name, wanted in self.values.items():
            if name in given and plain_value(given[name]) != plain_value(wanted):
                raise Forbidden(f"the caller may not set {name} to this value")


@attrs.frozen(eq=False, repr=False)
class ScopedRepository(Generic[M]):
    """See ``Repository``. Every method of the port stands here, so that none reaches the store unscoped."""

    inner: Repository[M]
    scope: BoundScope

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        return self.scope.seen(await self.inner.get(key, profile=profile))

    async def find(self, where: Expr, *, profile: str = "") -> M | None:
        return await self.inner.find(self.scope.within(where), profile=profile)

    async def list(self, query: Query) -> Page[M]:
        return await self.inner.list(attrs.evolve(query, where=self.scope.within(query.where)))

    async def pick(self, query: Query, fields: Sequence[str]) -> Page[Mapping[str, Any]]:
        return await self.inner.pick(attrs.evolve(query, where=self.scope.within(query.where)), fields)

    async def pick_one(self, key: Any, fields: Sequence[str]) -> Mapping[str, Any] | None:
        # Whether it is inside its other columns may say.
        return await self.inner.pick_one(key, fields) if await self.get(key) is not None else None

    async def exists(self, where: Expr) -> bool:
        return await self.inner.exists(self.scope.within(where))

    async def count(self, where: Expr | None = None) -> int:
        return await self.inner.count(self.scope.within(where))

    def stream(self, query: Query) -> AsyncIterator[M]:
        return self.inner.stream(attrs.evolve(query, where=self.scope.within(query.where)))

    async def create(self, values: object) -> M:
        return self.scope.require(await self.inner.create(self._filled(values)))

    async def create_all(self, values: Sequence[object]) -> Sequence[M]:
        made = await self.inner.create_all([self._filled(each) for each in values])
        return [self.scope.require(row) for row in made]

    async def create_many(self, values: Sequence[object]) -> int:
        # One by one: only a row that comes back can be looked at.
        for each in values:
            await self.create(each)
        return len(values)

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M | None:
        if await self.get(key) is None:
            return None
        self.scope.check(given_values(changes))
        changed = await self.inner.update(key, changes, expected_version=expected_version)
        return None if changed is None else self.scope.require(changed)

    async def delete(self, key: Any, *, expected_version: int | None = None) -> bool:
        return await self.get(key) is not None and await self.inner.delete(key, expected_version=expected_version)

    def _filled(self, values: object) -> dict[str, Any]:
        given = given_values(values)
        self.scope.check(given)
        return {**self.scope.values, **given}


def given_values(values: object) -> dict[str, Any]:
    """What a mapping or a command says of the fields of a row, without those that are absent."""
    if isinstance(values, Mapping):
        found = dict(values)
    else:
        names = [each.name for each in attrs.fields(cast("Any", type(values)))]
        found = {name: getattr(values, name) for name in names}
    return {name: value for name, value in found.items() if value is not ABSENT}


def _plain_getter(ref: Ref) -> Getter:
    read = attribute_getter(ref)
    return lambda row: plain_value(read(row))


def plain_value(value: Any) -> Any:
    """What the store keeps of a value; an enumeration is kept by its members' values."""
    return value.value if isinstance(value, enum.Enum) else value
