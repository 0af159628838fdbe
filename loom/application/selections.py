"""Selections: what one statement reads for a profile, in which order of columns, and how entities are made of it.

The rows of a statement hold the columns of the entity itself, then those of related rows of which there is at most
one, then computed values. What there may be several of is fetched by a statement of its own, for all rows at once. Each
store makes such rows in its own way; the layout and the constructors are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from loom.application.builders import Build, Load, Part, Source
from loom.application.graph import Graph
from loom.application.profiles import Profile
from loom.application.projections import ProjectionPlan
from loom.application.relations import RelationPlan
from loom.application.rows import RowPlan

ComputedLoad = Callable[[ProjectionPlan], Load | None]
"""How a computed value, as a store gives it, becomes that of the entity."""


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Join:
    """A related row of which there is at most one. ``source`` is the position of its joining value in the row."""

    relation: RelationPlan
    parent: int
    source: int
    at: int
    rows: RowPlan[Any]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Computed:
    """A value computed over a relation of the part ``parent``."""

    plan: ProjectionPlan
    parent: int
    source: int


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Fetch:
    """Related rows that a statement of their own reads. With ``first`` only the first of each is wanted."""

    relation: RelationPlan
    source: int
    selection: Selection
    first: ProjectionPlan | None = None

    def grouped(self, rows: Sequence[Sequence[Any]], entities: Sequence[Any]) -> dict[Any, Any]:
        """The entities by the value that joins them, which is the last of each row."""
        if self.first is not None or not self.relation.many:
            return {row[-1]: entity for row, entity in zip(reversed(rows), reversed(entities), strict=True)}
        found: dict[Any, list[Any]] = {}
        for row, entity in zip(rows, entities, strict=True):
            found.setdefault(row[-1], []).append(entity)
        return found if self.relation.container is list else {key: tuple(held) for key, held in found.items()}


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Selection:
    """One statement. The part 0 is the entity itself, the others are the joins in order; computed values follow."""

    rows: RowPlan[Any]
    joins: tuple[Join, ...]
    computed: tuple[Computed, ...]
    fetches: tuple[Fetch, ...]
    build: Build


Selections = Mapping[type, Mapping[str, Selection]]


def compile_selections(graph: Graph, rows: Mapping[type, RowPlan[Any]], computed_load: ComputedLoad) -> Selections:
    """The selections of all profiles of a store.

    Args:
        graph: the models.
        rows: how the store keeps each model.
        computed_load: how it gives computed values.
    """
    return {
        model: {
            name: _Layout(graph, rows, computed_load, f"{model.__name__}.{name}").selection(profile)
            for name, profile in profiles.items()
        }
        for model, profiles in graph.profiles.items()
    }


@attrs.define(eq=False, repr=False)
class _Layout:
    graph: Graph
    rows: Mapping[type, RowPlan[Any]]
    computed_load: ComputedLoad
    title: str
    _joins: list[Join] = attrs.field(factory=list)
    _computed: list[Computed] = attrs.field(factory=list)
    _fetches: list[Fetch] = attrs.field(factory=list)
    _starts: list[int] = attrs.field(factory=list)
    _width: int = 0

    def selection(self, profile: Profile) -> Selection:
        """Lay out one statement: first where everything stands, then the constructors over it."""
        parts = [profile]
        self._place(self.rows[profile.model])
        self._join_all(profile, 0, parts)
        for index, part in enumerate(parts):
            self._load_rest(part, index)
        source = Source(self.title)
        for index in reversed(range(len(parts))):
            source.entity(f"build{index}", self._part(parts[index], index, source))
        return Selection(
            rows=self.rows[profile.model],
            joins=tuple(self._joins),
            computed=tuple(self._computed),
            fetches=tuple(self._fetches),
            build=source.compiled("build0"),
        )

    def _place(self, rows: RowPlan[Any]) -> None:
        self._starts.append(self._width)
        self._width += len(rows.schema.names)

    def _join_all(self, profile: Profile, parent: int, parts: list[Profile]) -> None:
        for name, child in profile.relations.items():
            relation = self.graph.relations[profile.model][name]
            if not relation.many:
                rows = self.rows[child.model]
                self._joins.append(
                    Join(
                        relation=relation,
                        parent=parent,
                        source=self._position(parent, profile, relation),
                        at=self._width,
                        rows=rows,
                    )
                )
                self._place(rows)
                parts.append(child)
                self._join_all(child, len(parts) - 1, parts)

    def _load_rest(self, part: Profile, index: int) -> None:
        for name in part.projections:
            plan = self.graph.projections[part.model][name]
            position = self._position(index, part, plan.relation)
            if plan.type is None:
                whole = Profile(plan.relation.target.model, {}, ())
                self._fetch(plan.relation, position, whole, plan)
            else:
                self._computed.append(Computed(plan=plan, parent=index, source=position))
        for name, child in part.relations.items():
            relation = self.graph.relations[part.model][name]
            if relation.many:
                self._fetch(relation, self._position(index, part, relation), child, None)

    def _fetch(self, relation: RelationPlan, source: int, child: Profile, first: ProjectionPlan | None) -> None:
        layout = _Layout(self.graph, self.rows, self.computed_load, f"{self.title}.{relation.name}")
        selection = layout.selection(child)
        self._fetches.append(Fetch(relation=relation, source=source, selection=selection, first=first))

    def _position(self, index: int, part: Profile, relation: RelationPlan) -> int:
        return self._starts[index] + self.rows[part.model].schema.names.index(relation.source_column)

    def _part(self, part: Profile, index: int, source: Source) -> Part:
        """What is loaded beside the stored columns, each as an expression over the row and the groups."""
        loaded: dict[str, str] = {}
        for number, join in enumerate(self._joins, start=1):
            if join.parent == index:
                there = join.at + join.rows.key_positions[0]
                loaded[join.relation.name] = f"None if row[{there}] is None else build{number}(row, groups)"
        for number, computed in enumerate(self._computed):
            if computed.parent == index:
                text = f"row[{self._width + number}]"
                loaded[computed.plan.name] = source.value(text, self.computed_load(computed.plan))
        for number, fetch in enumerate(self._fetches):
            owner = self._owner(fetch.source)
            if owner == index:
                name, none = (fetch.first.name, "None") if fetch.first else (fetch.relation.name, _none_of(fetch))
                found = f"groups[{number}].get(row[{fetch.source}], {none})"
                # A row may be joined more than once, and nobody shares a list.
                loaded[name] = f"list({found})" if none == "[]" else found
        rows = self.rows[part.model]
        return Part(schema=rows.schema, loads=rows.loads, at=self._starts[index], loaded=loaded)

    def _owner(self, position: int) -> int:
        return max(index for index, start in enumerate(self._starts) if start <= position)


def _none_of(fetch: Fetch) -> str:
    return "[]" if fetch.relation.container is list else "()"
