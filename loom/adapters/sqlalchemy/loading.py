"""Profiles in SQL: statements that are built once for each model and profile, one for each relation of several rows.

Rows of single relations are joined and projections are subqueries of the statement that needs them. A statement that
fetches relations takes the joining values of all rows at once, in one parameter, so that its text never changes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.expressions import Operand, Translator, column_operand
from loom.adapters.sqlalchemy.related import Living, Tables, outer_join
from loom.adapters.sqlalchemy.statements import Statement, compiled, is_row, ordered, readable
from loom.adapters.sqlalchemy.storage import SQLITE, storage_of
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.application.projections import ProjectionPlan
from loom.application.relations import RelationPlan
from loom.application.rows import Conversion
from loom.application.selections import Computed, Fetch, Selection
from loom.domain.expr import Ref
from loom.domain.model import FieldOptions, FieldSchema

Seen: TypeAlias = Mapping[str, Any]
"""The parameters of row filters, by name."""


class Rows(Protocol):
    """Protocol of what runs prepared statements: a session."""

    async def rows(self, statement: Statement, arguments: Sequence[Any], *, table: str = "") -> Sequence[Any]:
        """Run a statement and return its rows."""


@attrs.frozen(eq=False, repr=False)
class Loading:
    """A selection in one database.

    Attributes:
        columns: what its statement selects.
        source: from where.
        get: the statement for one key.
    """

    selection: Selection
    columns: tuple[sa.ColumnElement[Any], ...]
    source: sa.FromClause
    get: Statement
    fetches: tuple[Fetching, ...]

    async def entities(self, session: Rows, rows: Sequence[Any], seen: Seen) -> list[Any]:
        """The entities of rows of the statement, with everything that is loaded beside them.

        ``seen`` holds the parameters of the filters that the statements were built with.
        """
        if not rows:
            return []
        groups = [await each.groups(session, rows, seen) for each in self.fetches]
        build = self.selection.build
        return [build(row, groups) for row in rows]


@attrs.frozen(eq=False, repr=False)
class Fetching:
    """The statement of one fetch: ``one`` for a single joining value, ``many`` for several."""

    fetch: Fetch
    loading: Loading
    one: Statement
    many: Statement
    as_json: bool

    async def groups(self, session: Rows, rows: Sequence[Any], seen: Seen) -> Mapping[Any, Any]:
        """What was found, by joining value."""
        source = self.fetch.source
        values = {row[source] for row in rows}
        values.discard(None)
        if not values:
            return {}
        found = await self._rows(session, values, seen)
        return self.fetch.grouped(found, await self.loading.entities(session, found, seen))

    async def _rows(self, session: Rows, values: Collection[Any], seen: Seen) -> Sequence[Any]:
        if len(values) == 1:
            return await session.rows(self.one, self.one.arguments({**seen, "value": next(iter(values))}))
        given = list(values)
        taken = json.dumps(given) if self.as_json else given
        return await session.rows(self.many, self.many.arguments({**seen, "values": taken}))


def compile_loading(selection: Selection, living: Living, dialect: Dialect) -> Loading:
    """Build the statements of a selection."""
    return _Loadings(living, dialect).loading(selection)


def computed_conversion(plan: ProjectionPlan, dialect: str) -> Conversion | None:
    """What a computed value needs on its way from the database of that name."""
    if plan.type is None:
        return None
    field = FieldSchema(name=plan.name, type=plan.type, options=FieldOptions(), required=True)
    return storage_of(field, dialect).conversion


@attrs.frozen(eq=False, repr=False)
class _Loadings:
    living: Living
    dialect: Dialect

    @property
    def tables(self) -> Tables:
        return self.living.tables

    def loading(self, selection: Selection) -> Loading:
        table = self._table(selection)
        columns, source = self._selected(selection)
        get = sa.select(*columns).select_from(source).where(is_row(table))
        fetches = tuple(self._fetching(fetch) for fetch in selection.fetches)
        return Loading(selection, tuple(columns), source, compiled(get, self.dialect), fetches)

    def _table(self, selection: Selection) -> ModelTable:
        return self.tables[selection.rows.schema.table]

    def _selected(self, selection: Selection) -> tuple[list[sa.ColumnElement[Any]], sa.FromClause]:
        source: sa.FromClause = self._table(selection).table
        parts = [source]
        for number, join in enumerate(selection.joins):
            target = self.tables[join.relation.target.table].table.alias(f"j{number}")
            source = outer_join(source, parts[join.parent], join.relation, target, self.living)
            parts.append(target)
        columns = [readable(column) for part in parts for column in part.c]
        computed = [
            self._computed(each, parts[each.parent], number).label(f"p{number}")
            for number, each in enumerate(selection.computed)
        ]
        return [*columns, *computed], source

    def _computed(self, computed: Computed, holder: sa.FromClause, number: int) -> sa.ColumnElement[Any]:
        plan = computed.plan
        target, source, by, conditions = self._way(plan.relation, f"a{number}")
        translator = self._translator(plan.relation, target)
        conditions.append(by == holder.c[plan.relation.source_column])
        if plan.where is not None:
            conditions.append(translator.where(plan.where))
        if plan.kind == "exists":
            return sa.exists(sa.select(sa.literal_column("1")).select_from(source).where(*conditions))
        made = sa.select(_aggregate(plan, translator)).select_from(source).where(*conditions)
        if plan.kind == "first":
            made = made.order_by(*(ordered(target.c[each.column], each, self.dialect.name) for each in plan.sort))
            made = made.limit(1)
        return made.scalar_subquery()

    def _fetching(self, fetch: Fetch) -> Fetching:
        relation = fetch.relation
        loading = self.loading(fetch.selection)
        table = self._table(fetch.selection)
        kept: list[sa.ColumnElement[bool]] = self.living(relation.target, table.table)
        source, by = loading.source, table.table.c[relation.target_column]
        column, holder = relation.target_column, table
        if relation.link is not None:
            holder, column = self.tables[relation.link.schema.table], relation.link.source
            link = holder.table.alias("l")
            kept += self.living(relation.link.schema, link)
            source = source.join(link, link.c[relation.link.target] == by)
            by = link.c[column]
        bind = holder.storages[column].bind
        one = sa.bindparam("value", type_=bind)
        return Fetching(
            fetch,
            loading,
            compiled(self._select(fetch, loading, source, by, [by == one, *kept]), self.dialect),
            compiled(self._select(fetch, loading, source, by, [self._among(by, bind), *kept]), self.dialect),
            as_json=self.dialect.name == SQLITE,
        )

    def _select(
        self,
        fetch: Fetch,
        loading: Loading,
        source: sa.FromClause,
        by: sa.ColumnElement[Any],
        conditions: list[sa.ColumnElement[bool]],
    ) -> sa.Select[Any]:
        table = self._table(fetch.selection)
        first = fetch.first
        order = [
            ordered(table.table.c[each.column], each, self.dialect.name)
            for each in (fetch.relation.sort if first is None else first.sort)
        ]
        made = sa.select(*loading.columns, by.label("joined_by")).select_from(source).where(*conditions)
        if first is None:
            return made.order_by(*order)
        if first.where is not None:
            made = made.where(Translator(table, self.dialect.name).where(first.where))
        inner = made.add_columns(sa.func.row_number().over(partition_by=by, order_by=order).label("place")).subquery(
            "f"
        )
        return sa.select(*list(inner.c)[:-1]).where(inner.c.place == sa.literal_column("1"))

    def _among(self, column: sa.ColumnElement[Any], bind: Any) -> sa.ColumnElement[bool]:
        if self.dialect.name == SQLITE:
            given = sa.func.json_each(sa.bindparam("values", type_=sa.Text())).table_valued("value")
            return column.in_(sa.select(given.c.value))
        return column == sa.any_(sa.bindparam("values", type_=sa.ARRAY(bind)))

    def _way(
        self, relation: RelationPlan, name: str
    ) -> tuple[sa.FromClause, sa.FromClause, sa.ColumnElement[Any], list[sa.ColumnElement[bool]]]:
        """The related rows under aliases: their table, what to select from, the column that joins them, and that they
        are not deleted."""
        target = self.tables[relation.target.table].table.alias(name)
        alive = self.living(relation.target, target)
        if relation.link is None:
            return target, target, target.c[relation.target_column], alive
        link = self.tables[relation.link.schema.table].table.alias(f"{name}l")
        source = target.join(link, link.c[relation.link.target] == target.c[relation.target_column])
        return target, source, link.c[relation.link.source], [*alive, *self.living(relation.link.schema, link)]

    def _translator(self, relation: RelationPlan, target: sa.FromClause) -> Translator:
        table = self.tables[relation.target.table]

        def reach(ref: Ref) -> Operand:
            return column_operand(table, target, ref.ref_path[0])

        return Translator(table, self.dialect.name, reach)


def _aggregate(plan: ProjectionPlan, translator: Translator) -> sa.ColumnElement[Any]:
    if plan.kind == "count":
        return sa.func.count()
    if plan.value is None or plan.type is None:
        raise LookupError(f"{plan.name} has no value")
    value = translator.value(plan.value, plan.type.scale)
    if plan.kind == "first":
        return value
    if plan.kind == "sum":
        return sa.func.coalesce(sa.func.sum(value), sa.literal_column("0"))
    return sa.func.min(value) if plan.kind == "min" else sa.func.max(value)
