"""References across relations in SQL: joins for single ones, ``EXISTS`` for those that hold several.

Every table beyond the model's own has an alias, so that a model may lead back to itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import sqlalchemy as sa

from loom.adapters.sqlalchemy.expressions import Operand, Slots, Take, Translator, column_operand, embedded
from loom.adapters.sqlalchemy.tables import ModelTable
from loom.application.related import Inner, Path, Related, Some
from loom.application.relations import RelationPlan
from loom.domain.expr import Expr, Ref
from loom.domain.model import ModelSchema
from loom.domain.schema import Kind

Tables = Mapping[str, ModelTable]


@attrs.frozen(eq=False, repr=False)
class Living:
    """What is there at the end of a relation: rows that are not deleted, and that the filters of the caller leave.

    ``filters`` are plain predicates by table. Of their constants only the shape matters: they are parameters, whose
    names begin with the prefix of their table.
    """

    tables: Tables
    dialect: str
    filters: Mapping[str, Expr] = attrs.field(factory=dict)

    def __call__(self, schema: ModelSchema, source: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """What must hold for a row of the model's table, or of an alias of it."""
        found: list[sa.ColumnElement[bool]] = []
        if schema.deleted_at:
            found.append(source.c[schema.deleted_at].is_(sa.null()))
        if schema.table in self.filters:
            found.append(self.filtered(schema.table, source, Slots(self.prefix(schema.table))))
        return found

    def filtered(self, name: str, source: sa.FromClause, slots: Slots) -> sa.ColumnElement[bool]:
        """The filter of a table."""
        table = self.tables[name]

        def reach(ref: Ref) -> Operand:
            return column_operand(table, source, ref.ref_path[0])

        return Translator(table, self.dialect, reach, slots.take).where(self.filters[name])

    def prefix(self, name: str) -> str:
        """How the parameters of a table's filter begin."""
        return f"seen{list(self.filters).index(name)}_"


def outer_join(
    left: sa.FromClause, holder: sa.FromClause, relation: RelationPlan, target: sa.FromClause, living: Living
) -> sa.FromClause:
    """The related row of which there is at most one, beside the rows of ``left``, which include those of ``holder``."""
    met = target.c[relation.target_column] == holder.c[relation.source_column]
    return left.outerjoin(target, sa.and_(met, *living(relation.target, target)))


@attrs.define(eq=False, repr=False)
class Reach:
    """What the predicates of one statement reach. ``source`` is what the statement selects from in the end."""

    table: ModelTable
    tables: Tables
    dialect: str
    source: sa.FromClause
    living: Living
    take: Take = embedded
    _joined: dict[tuple[int, ...], sa.FromClause] = attrs.field(factory=dict)
    _aliases: int = 0

    def where(self, predicate: Expr) -> sa.ColumnElement[bool]:
        """The SQL of a predicate."""
        return Translator(self.table, self.dialect, self.operand, self.take).where(predicate)

    def operand(self, ref: Ref) -> Operand:
        """The SQL of one reference."""
        if isinstance(ref, Some):
            return Operand(self._exists(ref), Kind.BOOL)
        if isinstance(ref, Related):
            end = self._end(ref.related_path)
            return column_operand(self.tables[ref.related_path[-1].target.table], end, ref.related_column)
        return column_operand(self.table, self.table.table, ref.ref_path[0])

    def alias(self, schema: ModelSchema) -> sa.FromClause:
        """The table of a model under a name of its own."""
        self._aliases += 1
        return self.tables[schema.table].table.alias(f"r{self._aliases}")

    def _end(self, path: Path) -> sa.FromClause:
        holder: sa.FromClause = self.table.table
        for length, relation in enumerate(path, start=1):
            way = tuple(id(each) for each in path[:length])
            if way not in self._joined:
                self._joined[way] = self.alias(relation.target)
                self.source = outer_join(self.source, holder, relation, self._joined[way], self.living)
            holder = self._joined[way]
        return holder

    def _exists(self, some: Some) -> sa.ColumnElement[bool]:
        inside = _Inside(self)
        conditions = [inside.step(relation) for relation in some.some_path]
        predicate = Translator(self.table, self.dialect, inside.operand, self.take).where(some.some_operand)
        found = [condition for each in conditions for condition in each]
        # The predicate may have joined more.
        return sa.exists(sa.select(sa.literal_column("1")).select_from(inside.source).where(*found, predicate))


@attrs.define(eq=False, repr=False)
class _Inside:
    """The inside of one ``EXISTS``: a chain of tables from the row outside to the end of the path."""

    reach: Reach
    _source: sa.FromClause | None = None
    _end: sa.FromClause | None = None
    _table: ModelTable | None = None
    _joined: dict[tuple[int, ...], sa.FromClause] = attrs.field(factory=dict)

    @property
    def source(self) -> sa.FromClause:
        """What the subquery selects from."""
        if self._source is None:
            raise LookupError("no relation was followed")
        return self._source

    def step(self, relation: RelationPlan) -> list[sa.ColumnElement[bool]]:
        """Go one relation further; returns what must hold."""
        holder = self.reach.table.table if self._end is None else self._end
        target = self.reach.alias(relation.target)
        conditions = self.reach.living(relation.target, target)
        if relation.link is None:
            self._add(target, target.c[relation.target_column] == holder.c[relation.source_column], conditions)
        else:
            link = self.reach.alias(relation.link.schema)
            conditions += self.reach.living(relation.link.schema, link)
            self._add(link, link.c[relation.link.source] == holder.c[relation.source_column], conditions)
            met = target.c[relation.target_column] == link.c[relation.link.target]
            self._source = self.source.join(target, met)
        self._end, self._table = target, self.reach.tables[relation.target.table]
        return conditions

    def operand(self, ref: Ref) -> Operand:
        """The SQL of one reference, from the end of the path or from the row outside."""
        if not isinstance(ref, Inner) or self._end is None or self._table is None:
            return self.reach.operand(ref)
        holder, table = self._end, self._table
        for length, relation in enumerate(ref.inner_path, start=1):
            way = tuple(id(each) for each in ref.inner_path[:length])
            if way not in self._joined:
                self._joined[way] = self.reach.alias(relation.target)
                self._source = outer_join(self.source, holder, relation, self._joined[way], self.reach.living)
            holder, table = self._joined[way], self.reach.tables[relation.target.table]
        return column_operand(table, holder, ref.inner_column)

    def _add(self, table: sa.FromClause, met: sa.ColumnElement[bool], conditions: list[sa.ColumnElement[bool]]) -> None:
        if self._source is None:
            self._source = table
            conditions.append(met)
        else:
            self._source = self._source.join(table, met)
