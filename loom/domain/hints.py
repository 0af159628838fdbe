"""Annotations of classes, resolved; names that a relation uses before they exist are kept until they do."""

from __future__ import annotations

import builtins
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Union

import attrs

from loom.domain.frozen import frozen

Lookup = Callable[[str], type | None]
"""Gives the entity of a name, or ``None``."""


class Missing:
    """Base of stand-ins for classes that were named before they were declared."""


@frozen
class Shape:
    """The form of a relation's annotation: the class, its container for several, and whether it may be null."""

    core: Any
    container: type | None = None
    nullable: bool = False

    @property
    def name(self) -> str:
        """Name of the class."""
        return getattr(self.core, "__name__", str(self.core))

    @property
    def is_class(self) -> bool:
        """Whether the value is an object of an attrs class, or of a class that is not declared yet."""
        return isinstance(self.core, type) and (attrs.has(self.core) or issubclass(self.core, Missing))


def resolved_hints(cls: type, lookup: Lookup) -> tuple[dict[str, Any], NameError | None]:
    """The annotations of a class and its bases, ``Annotated`` kept.

    Args:
        cls: the class.
        lookup: asked for names that the module of the class does not know.

    Returns:
        The annotations, in which a ``Missing`` class stands for each name that nobody knows; and the error of the
        first name that the module does not know.
    """
    try:
        return typing.get_type_hints(cls, include_extras=True), None
    except NameError as error:
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            found |= _own_hints(base, lookup)
        return found, error


def is_missing(hint: Any) -> bool:
    """Whether an annotation names a class that nobody knows."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return issubclass(hint, Missing)
    return any(is_missing(part) for part in typing.get_args(hint))


def shape_of(hint: Any) -> Shape:
    """The form of an annotation such as ``User``, ``User | None`` or ``tuple[Note, ...]``."""
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    nullable = False
    if typing.get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        nullable = len(rest) < len(typing.get_args(hint))
        hint = rest[0] if len(rest) == 1 else hint
    origin = typing.get_origin(hint)
    if origin in (tuple, list):
        return Shape(typing.get_args(hint)[0], origin, nullable)
    return Shape(hint, None, nullable)


class _Names(dict[str, Any]):
    """What a class's own module does not know. Asked before the module, so it keeps silent about what that knows."""

    def __init__(self, known: Mapping[str, Any], lookup: Lookup) -> None:
        super().__init__()
        self._known = known
        self._lookup = lookup

    def __missing__(self, name: str) -> Any:
        if name in self._known or hasattr(builtins, name):
            raise KeyError(name)
        return self._lookup(name) or type(name, (Missing,), {})


def _own_hints(base: type, lookup: Lookup) -> dict[str, Any]:
    own = types.SimpleNamespace(__annotations__=vars(base).get("__annotations__", {}))
    known = {**vars(base), **vars(sys.modules.get(base.__module__, builtins))}
    return typing.get_type_hints(own, known, _Names(known, lookup), include_extras=True)
