"""What the databases leave unsaid about keys.

SQLite reports that a reference is broken, and not which: these queries find out after the fact. PostgreSQL does not
notice numbers that rows bring along: its sequence is moved behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from loom.adapters.sqlalchemy.errors import still_referenced
from loom.adapters.sqlalchemy.names import quoted
from loom.adapters.sqlalchemy.session import Session
from loom.adapters.sqlalchemy.storage import POSTGRESQL
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable, Reference, references_of
from loom.application.units import dangling
from loom.domain.errors import Conflict

_AT_ONCE = 500


@attrs.frozen(eq=False)
class ForeignKeys:
    """Explains broken references of one store, and keeps its counters ahead."""

    catalogue: Catalogue
    dialect: str

    async def dangling(self, session: Session, table: str, rows: Sequence[Sequence[Any]]) -> Conflict:
        """Why rows could not be inserted: the fields whose values refer to nothing."""
        schema = self.catalogue.tables[table].schema
        fields = []
        for each in references_of(schema):
            position = schema.names.index(each.field)
            values = {row[position] for row in rows if row[position] is not None}
            if await self._some_missing(session, each, values):
                fields.append(each.field)
        return dangling(table, fields)

    async def broken(self, session: Session, table: str, key: Sequence[Any], changes: Mapping[str, Any]) -> Conflict:
        """Why a row could not be changed, or deleted where there are no changes."""
        fields = [
            each.field
            for each in references_of(self.catalogue.tables[table].schema)
            if each.field in changes and await self._some_missing(session, each, {changes[each.field]} - {None})
        ]
        if fields:
            return dangling(table, fields)
        for chain in self._chains(table, deletes=not changes):
            if await self._has_sources(session, chain, key):
                return still_referenced(chain[-1])
        return Conflict(f"{table}: a reference between rows would be broken")

    async def count_on(self, session: Session, table: str, column: str) -> None:
        """Let the next number be greater than every number there is."""
        if self.dialect != POSTGRESQL:
            return
        target = self.catalogue.tables[table].table
        # The function reads the first name as SQL does, and the second as it stands.
        sequence = sa.func.pg_get_serial_sequence(quoted(target.name), column)
        last = sa.select(sa.func.max(target.c[column])).scalar_subquery()
        await session.select(sa.select(sa.func.setval(sequence, sa.func.greatest(last, sa.func.nextval(sequence)))))

    def _chains(
        self, table: str, *, deletes: bool, before: tuple[Reference, ...] = ()
    ) -> Iterator[tuple[Reference, ...]]:
        """The references that refuse a change or deletion of a row, also from behind rows that would go with it."""
        for each in self.catalogue.references.values():
            if each.target != table or each in before:
                continue
            if not deletes or each.on_delete not in ("cascade", "set_null"):
                yield (*before, each)
            elif each.on_delete == "cascade":
                yield from self._chains(each.table, deletes=True, before=(*before, each))

    async def _some_missing(self, session: Session, reference: Reference, values: Iterable[Any]) -> bool:
        column = self.catalogue.tables[reference.target].table.c[reference.column]
        wanted = list(values)
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            found = await session.explain(sa.select(sa.func.count()).where(column.in_(part)))
            if found[0][0] < len(part):
                return True
        return False

    async def _has_sources(self, session: Session, chain: Sequence[Reference], key: Sequence[Any]) -> bool:
        target = self.catalogue.tables[chain[0].target]
        joined: sa.FromClause = target.table
        end = joined
        for each in chain:
            source = self.catalogue.tables[each.table].table.alias()
            joined = joined.join(source, source.c[each.field] == end.c[each.column])
            end = source
        return bool(await session.explain(sa.select(1).select_from(joined).where(*_is_key(target, key)).limit(1)))


def _is_key(table: ModelTable, key: Sequence[Any]) -> list[sa.ColumnElement[bool]]:
    return [column == value for column, value in zip(table.key_columns, key, strict=True)]
