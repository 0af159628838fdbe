"""Compiled reading: an attrs class gets a msgspec struct as its shadow, which C code fills and checks.

A shape accepts only what the converter accepts, and gives the same value; it may refuse more. Where msgspec is laxer
than the converter (decimals, durations, base64, enumerations with ``_missing_``), the shape takes the raw value and the
converter's own hook does the rest.
"""

from __future__ import annotations

import datetime as dt
import enum
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, Union

import attrs
import msgspec
from msgspec import UNSET, Meta

from loom.application.conversion.classes import ClassPlan, Slot
from loom.application.conversion.containers import LISTS, MAPPINGS, is_literal, split_union
from loom.application.conversion.converter import Converter
from loom.application.conversion.temporal import as_utc
from loom.domain.schema import INT_RANGE

Restore: TypeAlias = Callable[[Any], Any]


class NotCompiled(Exception):
    """The type has no shadow (it holds itself); the converter reads it."""


@attrs.frozen(eq=False, repr=False)
class Shape:
    """What msgspec reads, and what makes the value of it; ``None`` where it is the value already."""

    type: Any
    restore: Restore | None = None


_NATIVE: Mapping[Any, Shape] = {
    type(None): Shape(None),
    bool: Shape(bool),
    int: Shape(Annotated[int, Meta(ge=INT_RANGE[0], le=INT_RANGE[1])]),
    float: Shape(float),
    str: Shape(str),
    uuid.UUID: Shape(uuid.UUID),
    dt.date: Shape(dt.date),
    dt.datetime: Shape(Annotated[dt.datetime, Meta(tz=True)], as_utc),
}


def compiled_reader(target: Any, converter: Converter) -> Callable[[bytes], Any]:
    """A function from JSON text to a value of ``target``.

    Raises:
        NotCompiled: ``target`` has no shadow.
        TypeError: ``target`` is no type that has a conversion.
    """
    shape = _Shapes(converter).of(target)
    decode = msgspec.json.Decoder(shape.type).decode
    restore = shape.restore
    return decode if restore is None else lambda data: restore(decode(data))


class _Shapes:
    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._made: dict[Any, Shape] = {}
        self._under_way: set[Any] = set()

    def of(self, annotation: Any) -> Shape:
        """The shape of a type."""
        if annotation in _NATIVE:
            return _NATIVE[annotation]
        members, nullable, patch = split_union(annotation)
        if len(members) == 1 and (nullable or patch):
            inner = self.of(members[0])
            return _nullable(inner) if nullable else inner
        origin = typing.get_origin(annotation) or annotation
        if origin in LISTS:
            return self._list(annotation, LISTS[origin])
        if origin in MAPPINGS:
            return self._mapping(annotation)
        plan = self._converter.plan(annotation)
        if plan is not None:
            return self._class(annotation, plan)
        if _is_plain_choice(annotation):
            return Shape(annotation)
        return self._raw(annotation)

    def _raw(self, annotation: Any) -> Shape:
        hook = self._converter.hook(annotation)
        return Shape(Any, lambda value: hook(value, annotation))

    def _list(self, annotation: Any, build: Callable[[list[Any]], Any]) -> Shape:
        arguments = typing.get_args(annotation)
        if not arguments or (build is tuple and arguments[-1] is not Ellipsis):
            return self._raw(annotation)
        item = self.of(arguments[0])
        restore = item.restore
        shape: Any = list[item.type]  # type: ignore[name-defined]  # the type is made here, at run time
        if restore is None:
            return Shape(shape, None if build is list else build)
        return Shape(shape, lambda values: build([restore(value) for value in values]))

    def _mapping(self, annotation: Any) -> Shape:
        arguments = typing.get_args(annotation)
        if not arguments or arguments[0] is not str:
            return self._raw(annotation)
        item = self.of(arguments[1])
        restore = item.restore
        shape: Any = dict[str, item.type]  # type: ignore[name-defined]  # the type is made here, at run time
        if restore is None:
            return Shape(shape)
        return Shape(shape, lambda values: {key: restore(value) for key, value in values.items()})

    def _class(self, annotation: Any, plan: ClassPlan) -> Shape:
        if annotation in self._under_way:
            raise NotCompiled(annotation)
        if annotation not in self._made:
            self._under_way.add(annotation)
            shapes = [self._slot(slot) for slot in plan.slots]
            self._under_way.discard(annotation)
            self._made[annotation] = Shape(_struct(plan, shapes), _builder(plan, shapes))
        return self._made[annotation]

    def _slot(self, slot: Slot) -> Shape:
        options = slot.options
        if options.max_length is None and (options.precision, options.scale) == (38, 9):
            return self.of(slot.annotation)
        members, nullable, patch = split_union(slot.annotation)
        if members == [str] and not (nullable or patch):
            return Shape(Annotated[str, Meta(max_length=options.max_length)])
        if members == [str] and nullable:
            return Shape(Annotated[str, Meta(max_length=options.max_length)] | None)
        # The slot's own hook knows the limits.
        return Shape(Any, lambda value: slot.hook(value, slot.annotation))


def _nullable(inner: Shape) -> Shape:
    restore = inner.restore
    shape = inner.type if inner.type is Any else Union[inner.type, None]  # noqa: UP007  # built at run time
    return Shape(shape, None if restore is None else lambda value: None if value is None else restore(value))


def _is_plain_choice(annotation: Any) -> bool:
    """Whether msgspec chooses by value exactly as the converter does: all texts, or all whole numbers."""
    if is_literal(annotation):
        values = list(typing.get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, enum.Enum) and "_missing_" not in _names(annotation):
        values = [member.value for member in annotation]
    else:
        return False
    return bool(values) and {type(value) for value in values} in ({str}, {int})


def _names(cls: type[enum.Enum]) -> set[str]:
    return {name for base in cls.__mro__ if base.__module__ != "enum" for name in vars(base)}


def _struct(plan: ClassPlan, shapes: list[Shape]) -> Any:
    required = [(slot.name, shape.type) for slot, shape in zip(plan.slots, shapes, strict=True) if slot.required]
    optional = [
        (slot.name, shape.type, UNSET) for slot, shape in zip(plan.slots, shapes, strict=True) if not slot.required
    ]
    return msgspec.defstruct(plan.cls.__name__, [*required, *optional], forbid_unknown_fields=True)


def _builder(plan: ClassPlan, shapes: list[Shape]) -> Restore:
    """``lambda s: cls(a=s.a, b=restore(s.b))`` as source, so that nothing is looped over for each object."""
    scope: dict[str, Any] = {"cls": plan.cls, "UNSET": UNSET}
    given: list[str] = []
    lines: list[str] = []
    for index, (slot, shape) in enumerate(zip(plan.slots, shapes, strict=True)):
        scope[f"restore{index}"] = shape.restore
        read = f"s.{slot.name}" if shape.restore is None else f"restore{index}(s.{slot.name})"
        if slot.required:
            given.append(f"{slot.argument}={read}")
        else:
            lines.append(f"    if s.{slot.name} is not UNSET: more[{slot.argument!r}] = {read}")
    head = ["def build(s):"] + (["    more = {}"] if lines else [])
    tail = f"    return cls({', '.join([*given, *(['**more'] if lines else [])])})"
    exec("\n".join([*head, *lines, tail]), scope)
    return typing.cast("Restore", scope["build"])
