"""What a use case promises to give, and what its ``execute`` says that it gives."""

from __future__ import annotations

import typing
from typing import Any

from loom.application.compile import Issues
from loom.application.usecase.parameters import members, shown
from loom.domain.errors import Place


def check_result(use_case: type, promised: Any, given: Any, where: Place, issues: Issues) -> None:
    """Record a result that is plainly another than ``UseCase[Model, Result]`` promises to whoever invokes it."""
    if not _fits(given, promised):
        issues.add(
            "LOOM-CORE-135",
            where,
            f"{use_case.__name__} is a UseCase of {shown(promised)}, but its execute gives {shown(given)}",
            "let both say the same",
        )


def _fits(given: Any, promised: Any) -> bool:
    wanted = members(promised)
    return all(any(_is(part, each) for each in wanted) for part in members(given))


def _is(given: Any, promised: Any) -> bool:
    given, promised = _class(given), _class(promised)
    if promised is object or not isinstance(given, type) or not isinstance(promised, type):
        return True  # Any, type variables, literals: a type checker knows more
    if promised is float and given is int:
        return True
    try:
        return issubclass(given, promised)
    except TypeError:
        return True  # a protocol


def _class(annotation: Any) -> Any:
    return type(None) if annotation is None else typing.get_origin(annotation) or annotation
