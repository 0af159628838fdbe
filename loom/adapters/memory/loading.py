"""Relations in memory: the rows that a profile loads, and those that a predicate leads to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from loom.adapters.memory.constraints import Row
from loom.adapters.memory.tables import View
from loom.application.projections import ProjectionPlan
from loom.application.related import Inner, Path, Related, Some
from loom.application.relations import RelationPlan
from loom.application.selections import Fetch, Selection
from loom.domain.expr import Expr, Ref
from loom.domain.expr_python import Getter, to_python
from loom.domain.model import ModelSchema
from loom.domain.query import Sort

Shown: TypeAlias = Mapping[str, Callable[[Row], bool]]
"""Tells which rows of a table are there for the caller; all of a table that is not among them."""
_Found: TypeAlias = Mapping[Any, list[Row]]


@attrs.frozen(eq=False, repr=False)
class Views:
    """What the transaction sees of a table, and which of its rows are there at the end of a relation."""

    view: Callable[[str], View]
    shown: Shown

    def __call__(self, table: str) -> View:
        return self.view(table)

    def living(self, schema: ModelSchema) -> Iterable[Row]:
        """The rows that are not deleted, and there for the caller."""
        rows: Iterable[Row] = self.view(schema.table).rows()
        if schema.deleted_at:
            position = schema.names.index(schema.deleted_at)
            rows = (row for row in rows if row[position] is None)
        shown = self.shown.get(schema.table)
        return rows if shown is None else filter(shown, rows)


def load(selection: Selection, rows: Sequence[Row], views: Views) -> list[Any]:
    """The entities of rows, with everything that the selection loads beside them."""
    if not rows:
        return []
    wide = _widened(selection, rows, views)
    groups = [_fetched(fetch, {row[fetch.source] for row in wide}, views) for fetch in selection.fetches]
    return [selection.build(row, groups) for row in wide]


def in_order(rows: Iterable[Row], schema: ModelSchema, sorts: Sequence[Sort]) -> list[Row]:
    """The rows in an order; nulls first ascending, last descending."""
    found = list(rows)
    for each in reversed(sorts):
        position = schema.names.index(each.column)
        found.sort(key=lambda row: ((value := row[position]) is not None, value), reverse=each.descending)
    return found


def related_getter(ref: Ref, schema: ModelSchema, views: Views) -> Getter:
    """The value of a reference of a predicate, from a row of the model."""
    if isinstance(ref, Some):
        return _some(ref, schema, views)
    if isinstance(ref, Related):
        return _at_end(ref.related_path, ref.related_column, schema, views)
    position = schema.names.index(ref.ref_path[0])
    return lambda row: row[position]


def row_test(where: Expr | None, schema: ModelSchema) -> Callable[[Row], bool]:
    """Tells whether a checked predicate over a model's own columns is true for a row."""
    if where is None:
        return lambda row: True
    keeps = to_python(where, _own(schema))
    return lambda row: keeps(row) is True


def _widened(selection: Selection, rows: Sequence[Row], views: Views) -> list[list[Any]]:
    wide = [list(row) for row in rows]
    for join in selection.joins:
        found = _rows_of(join.relation, {row[join.source] for row in wide}, views)
        nothing = [None] * len(join.relation.target.names)
        for row in wide:
            there = found.get(row[join.source])
            row.extend(there[0] if there else nothing)
    for computed in selection.computed:
        found = _rows_of(computed.plan.relation, {row[computed.source] for row in wide}, views)
        compute = _computation(computed.plan)
        sources = [row[computed.source] for row in wide]
        for row, value in zip(wide, sources, strict=True):
            row.append(compute(found.get(value, [])))
    return wide


def _fetched(fetch: Fetch, values: Collection[Any], views: Views) -> Mapping[Any, Any]:
    found = _rows_of(fetch.relation, values, views)
    if fetch.first is not None:
        keep, target = row_test(fetch.first.where, fetch.relation.target), fetch.relation.target
        ordered = {value: in_order(filter(keep, rows), target, fetch.first.sort) for value, rows in found.items()}
        found = {value: rows[:1] for value, rows in ordered.items()}
    rows = [row for each in found.values() for row in each]
    joined = [(*row, value) for value, each in found.items() for row in each]
    return fetch.grouped(joined, load(fetch.selection, rows, views))


def _rows_of(relation: RelationPlan, values: Collection[Any], views: Views) -> _Found:
    """The living related rows by the values that join them, in the order of the relation."""
    wanted = {value: [value] for value in values if value is not None}
    if relation.link is not None:
        link = relation.link.schema
        source, target = link.names.index(relation.link.source), link.names.index(relation.link.target)
        wanted = {}
        for row in views.living(link):
            if row[source] in values and row[source] is not None:
                wanted.setdefault(row[target], []).append(row[source])
    position = relation.target.names.index(relation.target_column)
    found: dict[Any, list[Row]] = {}
    for row in in_order(views.living(relation.target), relation.target, relation.sort):
        for value in wanted.get(row[position], ()):
            found.setdefault(value, []).append(row)
    return found


def _computation(plan: ProjectionPlan) -> Callable[[Sequence[Row]], Any]:
    target = plan.relation.target
    keep = row_test(plan.where, target)
    if plan.kind == "count":
        return lambda rows: sum(1 for row in rows if keep(row))
    if plan.kind == "exists":
        return lambda rows: any(keep(row) for row in rows)
    value = to_python(plan.value, _own(target)) if plan.value is not None else lambda row: None
    if plan.kind == "first":
        return lambda rows: next((value(row) for row in in_order(filter(keep, rows), target, plan.sort)), None)

    def values(rows: Sequence[Row]) -> list[Any]:
        return [found for row in rows if keep(row) and (found := value(row)) is not None]

    if plan.kind == "sum":
        return lambda rows: sum(values(rows))
    choose = min if plan.kind == "min" else max
    return lambda rows: choose(values(rows), default=None)


def _own(schema: ModelSchema) -> Callable[[Ref], Getter]:
    def getter(ref: Ref) -> Getter:
        position = schema.names.index(ref.ref_path[0])
        return lambda row: row[position]

    return getter


def _at_end(path: Path, column: str, schema: ModelSchema, views: Views) -> Getter:
    """The value of a column at the end of single relations."""
    ends = [_all_of(relation, views) for relation in path]
    starts = _starts(path)
    position = (path[-1].target if path else schema).names.index(column)

    def read(row: Row) -> Any:
        for start, found in zip(starts, ends, strict=True):
            there = found.get(row[start]) if row[start] is not None else None
            if not there:
                return None
            row = there[0]
        return row[position]

    return read


def _some(ref: Some, schema: ModelSchema, views: Views) -> Getter:
    ends = [_all_of(relation, views) for relation in ref.some_path]
    starts = _starts(ref.some_path)
    target = ref.some_path[-1].target

    def getter(inner: Ref) -> Getter:
        if isinstance(inner, Inner):
            read = _at_end(inner.inner_path, inner.inner_column, target, views)
            return lambda pair: read(pair[0])
        outer = related_getter(inner, schema, views)
        return lambda pair: outer(pair[1])

    holds = to_python(ref.some_operand, getter)

    def some(row: Row) -> bool:
        reached = [row]
        for start, found in zip(starts, ends, strict=True):
            reached = [end for each in reached for end in found.get(each[start], ())]
        return any(holds((end, row)) is True for end in reached)

    return some


def _starts(path: Path) -> list[int]:
    return [relation.source.names.index(relation.source_column) for relation in path]


def _all_of(relation: RelationPlan, views: Views) -> _Found:
    position = relation.source.names.index(relation.source_column)
    return _rows_of(relation, {row[position] for row in views(relation.source.table).rows()}, views)
