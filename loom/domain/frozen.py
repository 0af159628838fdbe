"""``frozen``: what ``attrs.frozen`` makes, without source to be compiled for what needs none.

For each class attrs writes the source of ``__repr__``, ``__eq__`` and ``__hash__`` and compiles it. loom is made of
small values, and that took a fifth of the time in which it is imported. Here attrs makes the fields and ``__init__``,
whose signature has to be compiled; the rest reads the fields by ``operator.attrgetter``, which costs a comparison a
tenth of a microsecond.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

import attrs

__all__ = ["frozen"]

if TYPE_CHECKING:
    # For type checkers it is attrs' own decorator.
    from attrs import frozen
else:

    def frozen(cls: type | None = None, /, **options: Any) -> Any:
        """Like ``attrs.frozen``, with its options but ``eq`` and ``repr``; those of a field are heeded.

        Methods that the class body defines are kept. Values are equal where they are of one class and their fields are.
        """

        def decorate(decorated: type) -> type:
            made = attrs.frozen(decorated, eq=False, repr=False, **options)
            for name, method in _methods(made):
                if name not in vars(decorated):
                    setattr(made, name, method)
            return made

        return decorate if cls is None else decorate(cls)


def _methods(cls: type) -> tuple[tuple[str, Callable[..., Any]], ...]:
    read = _reader([field.name for field in attrs.fields(cls) if field.eq])

    def equal(self: Any, other: object) -> Any:
        return read(self) == read(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(read(self))

    return ("__eq__", equal), ("__hash__", hashed), ("__repr__", _shown)


def _reader(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else _nothing


def _nothing(_: object) -> tuple[()]:
    return ()


@recursive_repr("...")
def _shown(self: Any) -> str:
    parts = (f"{field.name}={getattr(self, field.name)!r}" for field in attrs.fields(type(self)) if field.repr)
    return f"{type(self).__qualname__.rsplit('>.', 1)[-1]}({', '.join(parts)})"
