"""The form in which an entity lies in a cache: objects of shadow classes, which the codec writes and reads.

A model itself is not what the codec should write: what a profile loads is never read back into one. A shadow has the
stored fields and what one profile loads, and nothing else, so that an entity comes out as it went in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from loom.application.graph import Graph
from loom.application.profiles import Profile
from loom.application.projections import ProjectionPlan
from loom.application.relations import RelationPlan
from loom.domain.fields import OPTIONS, FieldOptions
from loom.domain.model import ModelSchema, hints_of
from loom.domain.relations import NOT_LOADED
from loom.domain.schema import LogicalType

Change = Callable[[Any], Any]


@attrs.frozen(kw_only=True, repr=False)
class Slot:
    """One attribute: its annotation in the shadow, and how its value goes in and comes out; as it is where not said.

    ``argument`` is that of the model's constructor; empty where it takes none.
    """

    name: str
    argument: str
    annotation: Any
    logical: LogicalType | None = None
    inward: Change | None = None
    outward: Change | None = None


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Form:
    """One entity with what one profile loads."""

    model: type
    shadow: type
    slots: tuple[Slot, ...]
    unloaded: tuple[str, ...]
    print: str

    def inward(self, entity: Any) -> Any:
        """The shadow of an entity."""
        values = [getattr(entity, slot.name) for slot in self.slots]
        return self.shadow(
            *[
                value if slot.inward is None else slot.inward(value)
                for slot, value in zip(self.slots, values, strict=True)
            ]
        )

    def outward(self, shadow: Any) -> Any:
        """The entity of a shadow."""
        given: dict[str, Any] = {}
        later: list[tuple[str, Any]] = [(name, NOT_LOADED) for name in self.unloaded]
        for slot in self.slots:
            value = getattr(shadow, slot.name)
            if slot.outward is not None:
                value = slot.outward(value)
            if slot.argument:
                given[slot.argument] = value
            else:
                later.append((slot.name, value))
        entity = self.model(**given)
        for name, value in later:
            object.__setattr__(entity, name, value)
        return entity


def form_of(graph: Graph, profile: Profile) -> Form:
    """Compile the form of a profile; one that loads nothing is that of the row alone."""
    schema = next(each for each in graph.schemas if each.model is profile.model)
    attributes = {attribute.name: attribute for attribute in attrs.fields(schema.model)}
    slots = tuple(_slots(graph, schema, profile, attributes))
    held = {slot.name for slot in slots}
    loadable = [each.name for each in schema.relations] + [each.name for each in schema.projections]
    # A class that knows nothing of loom has another default, which would look like an answer.
    unloaded = [each for each in loadable if each not in held and attributes[each].default is not NOT_LOADED]
    told = [(slot.name, str(slot.annotation), slot.logical) for slot in slots]
    inner = [form.print for form in _inner(graph, profile)]
    return Form(
        model=schema.model,
        shadow=_shadow(schema.name, slots),
        slots=slots,
        unloaded=tuple(unloaded),
        print=hashlib.sha256(repr((told, inner)).encode()).hexdigest()[:12],
    )


def _slots(
    graph: Graph, schema: ModelSchema, profile: Profile, attributes: Mapping[str, attrs.Attribute[Any]]
) -> list[Slot]:
    hints = hints_of(schema.model)
    arguments = {name: (attribute.alias or name) if attribute.init else "" for name, attribute in attributes.items()}
    slots = [
        Slot(name=field.name, argument=arguments[field.name], annotation=hints[field.name], logical=field.type)
        for field in schema.fields
    ]
    for name, child in profile.relations.items():
        plan = graph.relations[schema.model][name]
        slots.append(_related(name, arguments[name], plan, form_of(graph, child)))
    for name in profile.projections:
        projected = graph.projections[schema.model][name]
        if projected.type is None:
            slots.append(_single(name, arguments[name], form_of(graph, _whole(projected))))
        else:
            slots.append(Slot(name=name, argument=arguments[name], annotation=hints[name], logical=projected.type))
    return slots


def _inner(graph: Graph, profile: Profile) -> list[Form]:
    projections = [graph.projections[profile.model][name] for name in profile.projections]
    wholes = [_whole(plan) for plan in projections if plan.type is None]
    return [form_of(graph, child) for child in (*profile.relations.values(), *wholes)]


def _whole(plan: ProjectionPlan) -> Profile:
    return Profile(plan.relation.target.model, {}, ())


def _related(name: str, argument: str, plan: RelationPlan, form: Form) -> Slot:
    if not plan.many:
        return _single(name, argument, form)
    container = list if plan.container is list else tuple
    return Slot(
        name=name,
        argument=argument,
        annotation=list[form.shadow],  # type: ignore[name-defined]  # a class of this moment
        inward=lambda found: [form.inward(each) for each in found],
        outward=lambda found: container([form.outward(each) for each in found]),
    )


def _single(name: str, argument: str, form: Form) -> Slot:
    return Slot(
        name=name,
        argument=argument,
        annotation=form.shadow | None,
        inward=lambda found: None if found is None else form.inward(found),
        outward=lambda found: None if found is None else form.outward(found),
    )


def _shadow(name: str, slots: tuple[Slot, ...]) -> type:
    made = {slot.name: attrs.field(type=slot.annotation, metadata=_metadata(slot)) for slot in slots}
    return attrs.make_class(f"Cached{name}", made, slots=True)


def _metadata(slot: Slot) -> dict[str, Any]:
    if slot.logical is None:
        return {}
    return {OPTIONS: FieldOptions(precision=slot.logical.precision, scale=slot.logical.scale)}
