"""All models of a deployment with what ties them together: relations, projections, profiles and foreign keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

from loom.application.compile import Issues, nearest
from loom.application.links import link_entities, reached
from loom.application.models import compile_models
from loom.application.profiles import Profile, compile_profiles
from loom.application.projections import ProjectionPlan, compile_projection
from loom.application.relations import ForeignKey, RelationPlan, compile_relation
from loom.domain.model import FieldSchema, ModelSchema
from loom.domain.relations import ON_DELETE

T = TypeVar("T")


@attrs.frozen(eq=False)
class Graph:
    """Compiled models. The fields of ``schemas`` hold every foreign key, also those that only a relation declares.

    Attributes:
        schemas: all models, those of link tables included.
        relations: by class and name.
        projections: by class and name.
        profiles: by class and name.
    """

    schemas: tuple[ModelSchema, ...]
    relations: Mapping[type, Mapping[str, RelationPlan]]
    projections: Mapping[type, Mapping[str, ProjectionPlan]]
    profiles: Mapping[type, Mapping[str, Profile]]


def compile_graph(models: Iterable[type], issues: Issues) -> Graph:
    """Compile the models of one deployment.

    Args:
        models: entities, in any order; repetitions are ignored. Those that their relations lead to belong to them.
        issues: receives every fault of every model and of what ties them together.

    Returns:
        The graph of what has no faults.
    """
    declared = list(reached(models))
    schemas = {schema.model: schema for schema in compile_models([*declared, *link_entities(declared)], issues)}
    relations = {
        schema.model: _found({each.name: compile_relation(schema, each, schemas, issues) for each in schema.relations})
        for schema in schemas.values()
    }
    schemas = _with_foreign_keys(schemas, relations, issues)
    projections = {
        schema.model: _found(
            {
                each.name: compile_projection(schema, each, relations[schema.model], issues)
                for each in schema.projections
            }
        )
        for schema in schemas.values()
    }
    profiles = {schema.model: compile_profiles(schema, schemas, issues) for schema in schemas.values()}
    return Graph(tuple(schemas.values()), relations, projections, profiles)


def _found(compiled: Mapping[str, T | None]) -> dict[str, T]:
    return {name: plan for name, plan in compiled.items() if plan is not None}


def _with_foreign_keys(
    schemas: Mapping[type, ModelSchema], relations: Mapping[type, Mapping[str, RelationPlan]], issues: Issues
) -> dict[type, ModelSchema]:
    said: dict[tuple[type, str], list[ForeignKey]] = {}
    for plans in relations.values():
        for key in (key for plan in plans.values() for key in plan.foreign_keys):
            said.setdefault((key.holder.model, key.field), []).append(key)
    return {
        model: attrs.evolve(
            schema,
            fields=tuple(_field(schema, field, said.get((model, field.name), []), issues) for field in schema.fields),
        )
        for model, schema in schemas.items()
    }


def _field(schema: ModelSchema, field: FieldSchema, keys: list[ForeignKey], issues: Issues) -> FieldSchema:
    options = field.options
    what = f"{schema.name}.{field.name}"
    rules = {what: options.on_delete} if options.on_delete else {}
    rules |= {key.said_by: key.on_delete for key in keys if key.on_delete}
    rule = _rule(schema, what, rules, issues)
    targets = dict.fromkeys(f"{key.target.table}.{key.column}" for key in keys)
    references = options.references or next(iter(targets), None)
    if len(targets) > 1:
        told = f"{what} would refer to {' and to '.join(targets)} at once"
        issues.add("LOOM-CORE-051", schema.model, told, "give each relation a foreign key of its own")
    if rule and references is None:
        told = f"{what} has on_delete={rule!r}, but refers to nothing"
        issues.add("LOOM-CORE-052", schema.model, told, 'add references="table.column"')
    if rule == "set_null" and (options.key or not field.type.nullable):
        told = f"{what} is to become null when what it refers to is deleted, but it is never null"
        issues.add("LOOM-CORE-052", schema.model, told, "annotate it with | None, or choose cascade or restrict")
    if references is None:
        return field
    evolved = attrs.evolve(options, references=references, on_delete=rule or "restrict")
    return attrs.evolve(field, options=evolved)


def _rule(schema: ModelSchema, what: str, rules: Mapping[str, str], issues: Issues) -> str:
    for where, rule in rules.items():
        if rule not in ON_DELETE:
            near = nearest(rule, ON_DELETE)
            remedy = f"did you mean {near!r}?" if near else f"known: {', '.join(ON_DELETE)}"
            issues.add("LOOM-CORE-052", schema.model, f"{where}: on_delete {rule!r} does not exist", remedy)
    if len(set(rules.values())) > 1:
        told = ", ".join(f"{where} says {rule}" for where, rule in rules.items())
        issues.add("LOOM-CORE-052", schema.model, f"on_delete of {what} is not clear: {told}", "say it in one place")
    return next(iter(rules.values()), "")
