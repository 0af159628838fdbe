"""A repository that refers to no row which is not there for the caller, or is marked as deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from loom.application.repositories import DelegatingRepository
from loom.application.rest.scoped_repository import given_values
from loom.application.units import dangling
from loom.application.usecase.scope import Scope
from loom.domain.expr import col
from loom.domain.frozen import frozen
from loom.domain.visibility import RowFilters
from loom.ports.persistence import Repository

if TYPE_CHECKING:
    from loom.application.rest.visibility import Visibility

M = TypeVar("M")


@frozen
class Reference:
    """A field that holds the value of a column of another row, or of one of the same model."""

    field: str
    model: type
    column: str


class ReferringRepository(DelegatingRepository[M]):
    """Looks at what new values refer to before the store does: a foreign key finds rows that the caller does not.

    Args:
        rows: the repository of the model.
        seen: what it refers to.
        scope: gives the repositories of what is referred to.
        filters: the rows that are there for the caller.
    """

    def __init__(self, rows: Repository[M], seen: Visibility, scope: Scope, filters: RowFilters | None) -> None:
        super().__init__(rows)
        self._seen = seen
        self._scope = scope
        self._filters = filters

    async def create(self, values: object) -> M:
        await self._check([given_values(values)])
        return await self.rows.create(values)

    async def create_all(self, values: Sequence[object]) -> Sequence[M]:
        await self._check([given_values(each) for each in values])
        return await self.rows.create_all(values)

    async def create_many(self, values: Sequence[object]) -> int:
        await self._check([given_values(each) for each in values])
        return await self.rows.create_many(values)

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M | None:
        await self._check([given_values(changes)])
        return await self.rows.update(key, changes, expected_version=expected_version)

    async def _check(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not await self._missing(self._seen.guarded, rows):
            return
        # All that are missing, as the store would name them.
        raise dangling(self._seen.schema.table, await self._missing(self._seen.references, rows))

    async def _missing(self, references: Iterable[Reference], rows: Sequence[Mapping[str, Any]]) -> list[str]:
        missing = []
        for each in references:
            wanted = list({value for row in rows if (value := row.get(each.field)) is not None})
            if wanted and await self._found(each, wanted) < len(wanted):
                missing.append(each.field)
        return missing

    async def _found(self, reference: Reference, wanted: Sequence[Any]) -> int:
        where = col(reference.column).is_in(wanted)
        shown = None if self._filters is None else self._filters.by_model.get(reference.model)
        rows: Repository[Any] = self._scope.unit.repository(reference.model)
        return await rows.count(where if shown is None else where & shown)
