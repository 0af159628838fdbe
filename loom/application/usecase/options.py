"""The options of a use case class: those that are misspelt, and would say nothing, are issues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loom.application.compile import Issues
from loom.application.usecase.compute import Compute
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.rule import Rule
from loom.domain.errors import Place

_KINDS: Final[Mapping[str, Any]] = {"computes": Compute, "rules": Rule, "read_only": bool}
_NEAR: Final = 0.8


def check_options(use_case: type[UseCase[Any, Any]], where: Place, issues: Issues) -> None:
    """Record what a class says under a name that is nearly that of an option, and a ``read_only`` that is no bool."""
    said: object = use_case.read_only
    if not isinstance(said, bool):
        issues.add("LOOM-CORE-132", where, f"read_only is {said!r}", "write True or False")
    for name, value in vars(use_case).items():
        if name.startswith("__") or name in _KINDS or callable(value):
            continue
        meant = _meant(name, value)
        if meant and meant not in vars(use_case):
            issues.add("LOOM-CORE-132", where, f"{use_case.__name__}.{name} has no effect", f"did you mean {meant!r}?")


def _meant(name: str, value: object) -> str:
    values = value if isinstance(value, list | tuple) else (value,)
    options = [option for option, kind in _KINDS.items() if any(isinstance(each, kind) for each in values)]
    if not options:
        return ""  # an attribute of the application's own
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), options, n=1, cutoff=_NEAR)
    return found[0] if found else ""
