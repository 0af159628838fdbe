"""Profiles compiled: the tree of relations and projections that one name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from loom.application.compile import Issues
from loom.domain.frozen import frozen
from loom.domain.model import ModelSchema, ProjectionSchema, RelationSchema


@attrs.frozen(eq=False, repr=False)
class Profile:
    """What is loaded of one entity: relations, each with what is loaded of its target, and projections."""

    model: type
    relations: Mapping[str, Profile]
    projections: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of everything that is loaded, beside what is stored."""
        return (*self.relations, *self.projections)


@attrs.define
class _Node:
    model: type
    relations: dict[str, _Node] = attrs.field(factory=dict)
    projections: list[str] = attrs.field(factory=list)

    def frozen(self) -> Profile:
        held = {name: node.frozen() for name, node in self.relations.items()}
        return Profile(self.model, held, tuple(dict.fromkeys(self.projections)))


_Step = tuple[type, str]


def compile_profiles(schema: ModelSchema, schemas: Mapping[type, ModelSchema], issues: Issues) -> Mapping[str, Profile]:
    """The profiles of one model; one with faults is left out, and they are in ``issues``."""
    found = {}
    taken = {*schema.names, *_loaded(schema)}
    for name, paths in schema.profiles.items():
        before = len(issues.found)
        if not name.isidentifier() or name in taken:
            told = "has the name of a field" if name in taken else "has no name that a client could write"
            issues.add("LOOM-CORE-055", schema.model, f"profile {name!r} of {schema.name} {told}", "give it another")
        root = _Node(schema.model)
        _Expansion(schema, name, schemas, issues).expand(root, paths, ((schema.model, name),))
        if len(issues.found) == before:
            found[name] = root.frozen()
    return found


@frozen
class _Expansion:
    """Follows the paths of one profile; every fault is told in its name."""

    schema: ModelSchema
    name: str
    schemas: Mapping[type, ModelSchema]
    issues: Issues

    def expand(self, node: _Node, paths: Iterable[str], trail: tuple[_Step, ...]) -> None:
        schema = self.schemas[node.model]
        loaded = _loaded(schema)
        for path in paths:
            head, dot, rest = path.partition(".")
            entry = loaded.get(head)
            if isinstance(entry, RelationSchema):
                self._relation(node, entry, [rest] if dot else [], trail)
            elif isinstance(entry, ProjectionSchema) and not dot:
                node.projections.append(head)
            elif entry is None and head in schema.profiles and not dot:
                self._profile(node, schema, head, trail)
            elif len(trail) == 1:  # of a profile inside this one it is told there
                what = f"profile {self.name!r} of {self.schema.name}: relation, projection or profile of {schema.name}"
                known = [*loaded, *schema.profiles]
                self.issues.unknown("LOOM-CORE-055", self.schema.model, what, path, known)

    def _relation(self, node: _Node, relation: RelationSchema, rest: list[str], trail: tuple[_Step, ...]) -> None:
        try:
            target = relation.target
        except LookupError:
            return  # told where the relation is compiled
        if target in self.schemas:
            child = node.relations.setdefault(relation.name, _Node(target))
            self.expand(child, rest, trail)

    def _profile(self, node: _Node, schema: ModelSchema, name: str, trail: tuple[_Step, ...]) -> None:
        step = (schema.model, name)
        if step not in trail:
            self.expand(node, schema.profiles[name], (*trail, step))
        elif step == trail[0]:
            # Of a circle each profile would tell the same; each tells it of itself alone.
            around = " -> ".join(f"{model.__name__}.{each}" for model, each in (*trail, step))
            told = f"profile {self.name!r} of {self.schema.name} would load itself: {around}"
            self.issues.add(
                "LOOM-CORE-056", self.schema.model, told, "name what is to be loaded instead of the profile"
            )


def _loaded(schema: ModelSchema) -> dict[str, RelationSchema | ProjectionSchema]:
    return {each.name: each for each in schema.relations} | {each.name: each for each in schema.projections}
