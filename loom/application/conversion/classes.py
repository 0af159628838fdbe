"""Structure hooks of attrs classes: every fault of every field, unknown keys, and the texts of attrs validators."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import attrs

from loom.application.conversion.containers import HookOf, optional_hook, split_union
from loom.application.conversion.faults import Faults, below, mismatch, text_of, unknown
from loom.application.conversion.scalars import Hook, constrained
from loom.domain.errors import FieldError
from loom.domain.model import FieldOptions, field_options, hints_of


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Slot:
    """One field as it is sent: its key, the constructor's argument, its resolved type and the hook of that type."""

    name: str
    argument: str
    annotation: Any
    options: FieldOptions
    hook: Hook
    required: bool


@attrs.frozen(eq=False, kw_only=True, repr=False)
class ClassPlan:
    """How objects of one attrs class are made from plain data. Fields with ``init=False`` are neither read nor sent."""

    cls: type
    slots: tuple[Slot, ...]
    validated: bool

    def structure(self, value: Any, _: Any = None) -> Any:
        """An object of the class.

        Raises:
            Faults: all faults of all fields.
        """
        if not isinstance(value, Mapping):
            raise mismatch("an object", value)
        found: dict[str, Any] = {}
        faults: list[FieldError] = []
        seen = 0
        for slot in self.slots:
            if slot.name in value:
                seen += 1
                try:
                    found[slot.argument] = slot.hook(value[slot.name], slot.annotation)
                except (Faults, ValueError, TypeError) as error:
                    faults += below(slot.name, error)
            elif slot.required:
                faults.append(FieldError(path=(slot.name,), message="is required", code="required"))
        if seen != len(value):
            faults += self._unknown(value)
        if faults:
            raise Faults(faults + (self._refused(found) if self.validated else []))
        try:
            return self.cls(**found)
        except (ValueError, TypeError) as error:
            raise Faults(self._refused(found) or [FieldError(path=(), message=text_of(error))]) from error

    def _unknown(self, value: Mapping[Any, Any]) -> list[FieldError]:
        names = [slot.name for slot in self.slots]
        free = [name for name in names if name not in value]
        return [unknown(str(key), free) for key in value if key not in names]

    def _refused(self, found: Mapping[str, Any]) -> list[FieldError]:
        """What each field's own validator says, so that the fault has its path and the others are heard too."""
        probe = _probe(self.cls, found)
        faults: list[FieldError] = []
        for attribute in attrs.fields(self.cls):
            if attribute.validator is None or not hasattr(probe, attribute.name):
                continue
            try:
                attribute.validator(probe, attribute, getattr(probe, attribute.name))
            except (ValueError, TypeError) as error:
                faults += below(attribute.name, error)
            except AttributeError:
                continue  # it compares with a field that is faulty itself
        return faults


def class_plan(annotation: Any, hook_of: HookOf) -> ClassPlan:
    """Read an attrs class, or a generic one with its arguments, into a plan.

    Raises:
        TypeError: a field's annotation has no conversion; the text names the field.
    """
    cls = typing.get_origin(annotation) or annotation
    hints = _resolved_hints(annotation)
    options = field_options(cls)
    slots = []
    for attribute in attrs.fields(cls):
        # What a profile loads is never sent in.
        if not attribute.init or options[attribute.name].loaded:
            continue
        hint = hints.get(attribute.name, Any)
        try:
            hook = _slot_hook(hint, options[attribute.name], hook_of)
        except TypeError as error:
            raise TypeError(f"{cls.__qualname__}.{attribute.name}: {error}") from error
        slots.append(_slot(attribute, hint, options[attribute.name], hook))
    validated = any(attribute.validator is not None for attribute in attrs.fields(cls))
    return ClassPlan(cls=cls, slots=tuple(slots), validated=validated)


def sent_names(cls: type) -> tuple[str, ...]:
    """Names of the fields that are sent, in declaration order."""
    return tuple(attribute.name for attribute in attrs.fields(cls) if attribute.init)


def _slot(attribute: attrs.Attribute[Any], hint: Any, options: FieldOptions, hook: Hook) -> Slot:
    return Slot(
        name=attribute.name,
        argument=attribute.alias or attribute.name,
        annotation=hint,
        options=options,
        hook=hook,
        required=attribute.default is attrs.NOTHING,
    )


def _slot_hook(hint: Any, options: FieldOptions, hook_of: HookOf) -> Hook:
    members, nullable, patch = split_union(hint)
    special = constrained(members[0], options, hook_of) if len(members) == 1 else None
    if special is None:
        return hook_of(hint)
    return optional_hook(special, nullable=nullable) if nullable or patch else special


def _probe(cls: type, found: Mapping[str, Any]) -> Any:
    """An object that never ran its constructor, with the fields that are known."""
    probe: Any = object.__new__(cls)
    for attribute in attrs.fields(cls):
        if attribute.alias in found:
            object.__setattr__(probe, attribute.name, found[attribute.alias])
        elif attribute.default is not attrs.NOTHING and not isinstance(attribute.default, attrs.Factory):  # type: ignore[arg-type]
            object.__setattr__(probe, attribute.name, attribute.default)
    return probe


def _resolved_hints(annotation: Any) -> dict[str, Any]:
    """The fields' annotations with type variables replaced by the arguments of the class and of its bases."""
    origin = typing.get_origin(annotation) or annotation
    known: dict[Any, Any] = {}
    _bind(annotation, known)
    hints = hints_of(origin)
    return {name: _substituted(hint, known) for name, hint in hints.items()}


def _bind(annotation: Any, known: dict[Any, Any]) -> None:
    origin = typing.get_origin(annotation) or annotation
    parameters = getattr(origin, "__parameters__", ())
    known.update(zip(parameters, typing.get_args(annotation), strict=False))
    for base in getattr(origin, "__orig_bases__", ()):
        if typing.get_origin(base) is not typing.Generic:
            _bind(_substituted(base, known), known)


def _substituted(hint: Any, known: Mapping[Any, Any]) -> Any:
    if isinstance(hint, typing.TypeVar):
        return known.get(hint, Any)
    parameters = getattr(hint, "__parameters__", ())
    if isinstance(hint, type) or not parameters:
        return hint
    return hint[tuple(known.get(parameter, Any) for parameter in parameters)]
