"""Type arguments of generic declarations: ``class X(UseCase[Product, int])`` gives ``(Product, int)``."""

from __future__ import annotations

import typing
from typing import Any


def type_arguments(cls: type, generic: type) -> tuple[Any, ...]:
    """The arguments with which ``cls`` fills in the parameters of its base ``generic``.

    Type variables that stay open come back as they are. Empty where ``generic`` is not a base or has no parameters.
    """
    return _search(cls, generic, {})


def _search(cls: type, generic: type, known: dict[Any, Any]) -> tuple[Any, ...]:
    if cls is generic:
        return tuple(known.get(parameter, parameter) for parameter in getattr(cls, "__parameters__", ()))
    for base in getattr(cls, "__orig_bases__", cls.__bases__):
        origin = typing.get_origin(base) or base
        if not isinstance(origin, type) or not issubclass(origin, generic):
            continue
        arguments = tuple(known.get(argument, argument) for argument in typing.get_args(base))
        parameters = getattr(origin, "__parameters__", ())
        return _search(origin, generic, dict(zip(parameters, arguments, strict=False)))
    return ()
