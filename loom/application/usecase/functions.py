"""Functions of rules and computes: whether they can be called as they will be, found before they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from loom.application.usecase.fields import Scene


def check_function(function: Callable[..., Any], count: int, what: str, scene: Scene) -> None:
    """Record a function that is async, or that does not take so many values.

    Args:
        function: of a rule or a compute.
        count: how many values it will be given, by position.
        what: names the rule or the compute.
        scene: of the use case.
    """
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        scene.add(
            "LOOM-CORE-134",
            f"{what} has an async function, which nobody would await",
            "write a plain function; what the store knows comes from Load or Exists",
        )
        return
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # a builtin that does not say what it takes
    try:
        signature.bind(*[None] * count)
    except TypeError as error:
        values = "1 value" if count == 1 else f"{count} values"
        scene.add(
            "LOOM-CORE-134",
            f"{what} has a function that does not take {values}: {error}",
            "let it take what from_command and from_params name: fields first, then parameters",
        )
