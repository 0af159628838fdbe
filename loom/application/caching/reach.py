"""What a read depends on, and what a write may have changed: both as names of tables, from the compiled graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from loom.application.graph import Graph
from loom.application.profiles import Profile
from loom.application.relations import RelationPlan
from loom.domain.model import ModelSchema


@attrs.frozen(repr=False)
class Touched:
    """The tables that writing one model touches: ``written`` by any write, ``deleted`` by a deletion."""

    written: tuple[str, ...]
    deleted: tuple[str, ...]


def tables_of(graph: Graph, profile: Profile) -> tuple[str, ...]:
    """The tables that a profile reads, in a fixed order."""
    return tuple(sorted(set(_read(graph, profile))))


def touched_by(graph: Graph, watched: frozenset[str]) -> Mapping[type, Touched]:
    """What writing each model touches of the tables that are watched; a model that touches none of them is left out."""
    found = {}
    for schema in graph.schemas:
        own = {schema.table}
        # A row that is marked as deleted stays in its table, and takes nothing with it.
        gone = own if schema.deleted_at else _taken(graph, schema.table, own)
        touched = Touched(tuple(sorted(own & watched)), tuple(sorted(gone & watched)))
        if touched.deleted:
            found[schema.model] = touched
    return found


def _read(graph: Graph, profile: Profile) -> Iterator[str]:
    yield _table(graph, profile.model)
    for name, child in profile.relations.items():
        yield from _between(graph.relations[profile.model][name])
        yield from _read(graph, child)
    for name in profile.projections:
        yield from _between(graph.projections[profile.model][name].relation)


def _between(relation: RelationPlan) -> Iterator[str]:
    yield relation.target.table
    if relation.link is not None:
        yield relation.link.schema.table


def _table(graph: Graph, model: type) -> str:
    return next(schema.table for schema in graph.schemas if schema.model is model)


def _taken(graph: Graph, table: str, found: set[str]) -> set[str]:
    """The tables whose rows are deleted or changed by the store itself when a row of ``table`` is deleted."""
    reached, waiting = set(found), [table]
    while waiting:
        gone = waiting.pop()
        for holder, on_delete in _referring(graph, gone):
            if on_delete == "cascade" and holder.table not in reached:
                waiting.append(holder.table)
            reached.add(holder.table)
    return reached


def _referring(graph: Graph, table: str) -> Iterator[tuple[ModelSchema, str]]:
    for schema in graph.schemas:
        for field in schema.fields:
            options = field.options
            if (options.references or "").rpartition(".")[0] == table and options.on_delete in ("cascade", "set_null"):
                yield schema, options.on_delete
