"""The converter factory: cattrs finds the hook of a type, and every hook here is strict."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import threading
import typing
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import attrs
import cattrs

from loom.application.conversion import containers, outward, scalars, temporal
from loom.application.conversion.classes import ClassPlan, class_plan
from loom.application.conversion.faults import Faults
from loom.application.conversion.scalars import Hook
from loom.domain.absent import Absent
from loom.domain.errors import InvalidInput
from loom.domain.relations import NotLoaded

T = TypeVar("T")

_SCALARS: dict[Any, Hook] = {
    type(None): scalars.to_none,
    None: scalars.to_none,
    bool: scalars.to_bool,
    int: scalars.to_int,
    float: scalars.to_float,
    str: scalars.to_str,
    bytes: scalars.to_bytes,
    decimal.Decimal: scalars.decimal_hook(38, 9),
    uuid.UUID: scalars.to_uuid,
    dt.date: temporal.to_date,
    dt.datetime: temporal.to_datetime,
    dt.time: temporal.to_time,
    dt.timedelta: temporal.to_duration,
    Any: scalars.to_plain,
    object: scalars.to_plain,
}


class Converter:
    """Structures plain data into typed values and back. Safe to share between threads; it learns each type once.

    Strict: no ``"1"`` or ``1.5`` for an int, no bool for an int, no text for a list, no unknown keys, no naive
    datetimes, no float for a ``Decimal``. Instants come out in UTC. Texts of attrs validators are kept.
    """

    def __init__(self) -> None:
        self._cattrs = cattrs.Converter(forbid_extra_keys=True)
        self._hooks: dict[Any, Hook] = {}
        self._plans: dict[Any, ClassPlan] = {}
        self._under_way: set[Any] = set()
        self._learning = threading.RLock()
        self._register_structure()
        self._register_unstructure()

    def structure(self, value: Any, target: type[T]) -> T:
        """A value of ``target`` from dictionaries, lists and scalars.

        Args:
            value: plain data; scalars may already be of their type (a ``UUID``, an aware ``datetime``).
            target: an attrs class, a scalar, or any annotation made of them (``list[X]``, ``dict[str, X]``, ``X?``).

        Raises:
            InvalidInput: the value does not fit; all faults with their paths.
            TypeError: ``target`` is no type that has a conversion.
        """
        hook = self.hook(target)
        try:
            return typing.cast("T", hook(value, target))
        except Faults as found:
            raise InvalidInput(found.errors, subject=_name(target)) from None

    def unstructure(self, value: object) -> Any:
        """Dictionaries, lists and scalars of a value: what its class sends, ``ABSENT`` fields left out.

        Raises:
            ValueError: a value in it has no JSON form (a naive datetime, NaN); the text names the field.
            TypeError: an object in it is of a class that has no conversion.
        """
        return self._cattrs.unstructure(value)

    def plan(self, annotation: Any) -> ClassPlan | None:
        """The plan of an attrs class, for codecs that are compiled from it; ``None`` for other types.

        Raises:
            TypeError: a field's annotation has no conversion; the text names the field.
        """
        if not _is_class(annotation):
            return None
        self.hook(annotation)
        return self._plans[annotation]

    def hook(self, annotation: Any) -> Hook:
        """The hook of a type; it raises ``Faults``.

        Raises:
            TypeError: the type has no conversion.
        """
        found = self._hooks.get(annotation)
        return self._learned(annotation) if found is None else found

    def _learned(self, annotation: Any) -> Hook:
        with self._learning:
            found = self._hooks.get(annotation)
            if found is None:
                found = self._found(annotation)
                # A class that holds itself is met again while it is learned; what is returned then must not stay.
                if annotation not in self._under_way:
                    self._hooks[annotation] = found
            return found

    def _found(self, annotation: Any) -> Hook:
        # cattrs answers for these and their subclasses before it asks any factory, and would coerce.
        if isinstance(annotation, type) and issubclass(annotation, (int, float, str, bytes)):
            return _scalar_hook(annotation)
        return self._cattrs.get_structure_hook(annotation, cache_result=False)

    def _register_structure(self) -> None:
        # cattrs asks the last registered first. The first line refuses what nobody below knows, as cattrs' own
        # hooks would coerce it.
        add = self._cattrs.register_structure_hook_factory
        add(lambda _: True, _no_conversion)
        add(_below(*(kind for kind in _SCALARS if isinstance(kind, type) and kind is not object)), _scalar_hook)
        add(lambda kind: kind in _SCALARS, lambda kind: _SCALARS[kind])
        add(_is_class, self._class_hook)
        add(_is_enum, containers.enum_hook)
        add(containers.is_literal, containers.literal_hook)
        add(_origin_in(containers.LISTS), partial(containers.list_hook, hook_of=self.hook))
        add(_origin_in(containers.MAPPINGS), partial(containers.mapping_hook, hook_of=self.hook))
        add(_origin_in(containers.UNIONS), partial(containers.union_hook, hook_of=self.hook))
        add(_origin_in((typing.Annotated, typing.Final)), lambda kind: self.hook(typing.get_args(kind)[0]))
        add(lambda kind: hasattr(kind, "__supertype__"), lambda kind: self.hook(kind.__supertype__))
        add(lambda kind: hasattr(kind, "__value__"), lambda kind: self.hook(kind.__value__))

    def _register_unstructure(self) -> None:
        add = self._cattrs.register_unstructure_hook_factory
        add(lambda _: True, _no_writer)
        for scalar, write in outward.SCALARS:
            add(_below(scalar), lambda _, write=write: write)
            if scalar in (str, bytes):
                # cattrs answers for these two before it asks any factory.
                self._cattrs.register_unstructure_hook(scalar, write)
        for kinds, make in outward.CONTAINERS:
            add(_below(*kinds), partial(_made, make, self.unstructure))
        add(_below(Absent, NotLoaded), lambda _: outward.refuse_absent)
        add(
            lambda cls: isinstance(cls, type) and attrs.has(cls), partial(_made, outward.class_writer, self.unstructure)
        )

    def _class_hook(self, annotation: Any) -> Hook:
        if annotation in self._under_way:
            # A class that holds itself: its hook is looked up when the inner value arrives.
            return lambda value, _: self.hook(annotation)(value, annotation)
        self._under_way.add(annotation)
        try:
            plan = self._plans[annotation] = class_plan(annotation, self.hook)
        finally:
            self._under_way.discard(annotation)
        return plan.structure


def make_converter() -> Converter:
    """A converter with every type that loom knows."""
    return Converter()


def _no_conversion(annotation: Any) -> Hook:
    raise TypeError(f"{_name(annotation)} has no conversion; use an attrs class, a scalar, or containers of them")


def _no_writer(cls: Any) -> outward.Unstructure:
    raise TypeError(f"objects of {_name(cls)} have no conversion; use an attrs class, a scalar, or containers of them")


def _scalar_hook(cls: Any) -> Hook:
    """The hook of a scalar, of an enumeration mixed with one, or of a subclass, which is made from its base's value."""
    if _is_enum(cls):
        return containers.enum_hook(cls)
    if cls in _SCALARS:
        return _SCALARS[cls]
    inner = next(_SCALARS[base] for base in cls.__mro__ if base in _SCALARS)

    def to_subclass(value: Any, _: Any = None) -> Any:
        return value if isinstance(value, cls) else cls(inner(value, None))

    return to_subclass


def _made(
    make: Callable[[type, outward.Unstructure], outward.Unstructure], unstructure: outward.Unstructure, cls: type
) -> outward.Unstructure:
    return make(cls, unstructure)


def _origin_in(known: typing.Container[Any]) -> Callable[[Any], bool]:
    return lambda kind: (typing.get_origin(kind) or kind) in known


def _below(*bases: type) -> Callable[[Any], bool]:
    return lambda cls: isinstance(cls, type) and issubclass(cls, bases)


def _is_class(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and attrs.has(origin)


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, enum.Enum) and annotation is not Absent


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
