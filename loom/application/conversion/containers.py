"""Structure hooks of lists, tuples, sets, mappings, unions, enumerations and literals."""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence, Set
from typing import Any, Literal, TypeAlias, Union

import attrs

from loom.application.conversion.faults import Faults, below, fault, mismatch, not_a_choice, type_word, word
from loom.application.conversion.scalars import Hook, to_int, to_plain
from loom.domain.absent import Absent
from loom.domain.errors import FieldError

HookOf: TypeAlias = Callable[[Any], Hook]
"""Finds the hook of an annotation."""

UNIONS = (Union, types.UnionType)
LISTS: Mapping[Any, Callable[[list[Any]], Any]] = {
    list: list,
    Sequence: list,
    MutableSequence: list,
    tuple: tuple,
    set: set,
    Set: set,
    frozenset: frozenset,
}
MAPPINGS = (dict, Mapping, MutableMapping)
_INTEGER_KEY = re.compile(r"-?[0-9]{1,19}")


def list_hook(annotation: Any, hook_of: HookOf) -> Hook:
    """Lists, tuples of any length, and sets. Text is not a list of characters."""
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return _pair_hook([hook_of(argument) for argument in arguments])
    item = hook_of(arguments[0]) if arguments else to_plain
    build = LISTS[origin]
    accepted = (list, tuple, set, frozenset) if build in (set, frozenset) else (list, tuple)

    def to_list(value: Any, _: Any = None) -> Any:
        if not isinstance(value, accepted):
            raise mismatch("a list", value)
        return build(_items(value, item))

    return to_list


def mapping_hook(annotation: Any, hook_of: HookOf) -> Hook:
    """Objects with keys of one type and values of one type."""
    arguments = typing.get_args(annotation)
    if not arguments:
        return _plain_mapping
    key_hook = _key_hook(arguments[0], hook_of)
    item_hook = hook_of(arguments[1])

    def to_dict(value: Any, _: Any = None) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise mismatch("an object", value)
        found: dict[Any, Any] = {}
        faults: list[FieldError] = []
        for key, item in value.items():
            try:
                found[key_hook(key, None)] = item_hook(item, None)
            except (Faults, ValueError, TypeError) as error:
                faults += below(key if isinstance(key, int) else str(key), error)
        if faults:
            raise Faults(faults)
        return found

    return to_dict


def split_union(annotation: Any) -> tuple[list[Any], bool, bool]:
    """The members of an annotation without ``None`` and ``Absent``, and whether those two are among them."""
    if typing.get_origin(annotation) is typing.Annotated:
        return split_union(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) not in UNIONS:
        return [annotation], False, False
    members = typing.get_args(annotation)
    rest = [member for member in members if member is not type(None) and member is not Absent]
    return rest, type(None) in members, Absent in members


def optional_hook(inner: Hook, *, nullable: bool) -> Hook:
    """``None`` where it is allowed and ``ABSENT``, which is no JSON value, as they are; the rest by ``inner``."""

    def to_optional(value: Any, _: Any = None) -> Any:
        if (value is None and nullable) or isinstance(value, Absent):
            return value
        return inner(value, None)

    return to_optional


def union_hook(annotation: Any, hook_of: HookOf) -> Hook:
    """``X | None``, ``Patch[X]``, or several types: the one of exactly the value's type, else the first that fits."""
    members, nullable, patch = split_union(annotation)
    if not members:
        return hook_of(type(None))
    hooks = [hook_of(member) for member in members]
    inner = hooks[0] if len(members) == 1 else _first_fit(members, hooks)
    return optional_hook(inner, nullable=nullable) if nullable or patch else inner


def enum_hook(cls: type[enum.Enum]) -> Hook:
    """Members by value, of exactly the value's type."""
    members = {(type(member.value), member.value): member for member in cls}
    values = [member.value for member in cls]

    def to_member(value: Any, _: Any = None) -> Any:
        if isinstance(value, cls):
            return value
        return _chosen(members, values, value)

    return to_member


def literal_hook(annotation: Any) -> Hook:
    """Members of a ``Literal``, of exactly their type; an enumeration's members by value."""
    choices = {}
    for choice in typing.get_args(annotation):
        raw = choice.value if isinstance(choice, enum.Enum) else choice
        choices[(type(raw), raw)] = choice
    values = [raw for _, raw in choices]

    def to_choice(value: Any, _: Any = None) -> Any:
        return _chosen(choices, values, value.value if isinstance(value, enum.Enum) else value)

    return to_choice


def is_literal(annotation: Any) -> bool:
    """Whether the annotation is a ``Literal``."""
    return typing.get_origin(annotation) is Literal


def _items(values: Iterable[Any], item: Hook) -> list[Any]:
    found: list[Any] = []
    faults: list[FieldError] = []
    for index, value in enumerate(values):
        try:
            found.append(item(value, None))
        except (Faults, ValueError, TypeError) as error:
            faults += below(index, error)
    if faults:
        raise Faults(faults)
    return found


def _pair_hook(hooks: list[Hook]) -> Hook:
    def to_tuple(value: Any, _: Any = None) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise mismatch("a list", value)
        if len(value) != len(hooks):
            raise fault(f"must have exactly {len(hooks)} items, has {len(value)}", "length")
        turn = iter(hooks)
        return tuple(_items(value, lambda item, _: next(turn)(item, None)))

    return to_tuple


def _plain_mapping(value: Any, _: Any = None) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise mismatch("an object", value)
    return dict(to_plain(value))


def _key_hook(annotation: Any, hook_of: HookOf) -> Hook:
    hook = hook_of(annotation)
    # Not by annotation: ``NewType("Id", int)`` has the hook of an int.
    return _to_integer_key if hook is to_int else hook


def _to_integer_key(value: Any, _: Any = None) -> int:
    # JSON has no other keys than text, so that here, and only here, digits in text are a number.
    if type(value) is str and _INTEGER_KEY.fullmatch(value):
        return to_int(int(value))
    return to_int(value)


def _chosen(choices: Mapping[tuple[type, Any], Any], values: list[Any], value: Any) -> Any:
    try:
        return choices[(type(value), value)]
    except (KeyError, TypeError):
        raise not_a_choice(value, values) from None


def _first_fit(members: list[Any], hooks: list[Hook]) -> Hook:
    exact = {member: hook for member, hook in zip(members, hooks, strict=True) if isinstance(member, type)}
    classes = [
        hook for member, hook in zip(members, hooks, strict=True) if attrs.has(typing.get_origin(member) or member)
    ]
    names = " or ".join(type_word(member) for member in members)

    def to_member(value: Any, _: Any = None) -> Any:
        if type(value) in exact:
            return exact[type(value)](value, None)
        if isinstance(value, Mapping) and len(classes) == 1:
            return classes[0](value, None)
        for hook in hooks:
            try:
                return hook(value, None)
            except (Faults, ValueError, TypeError):
                continue
        if isinstance(value, Mapping) and classes:
            raise fault(f"fits none of {names}", "type")
        raise fault(f"must be {names}, not {word(value)}", "type")

    return to_member
