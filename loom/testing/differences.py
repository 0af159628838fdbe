"""Failure messages that say what was found instead, and where it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from loom.application.compile import meant


def differing(row: object, wanted: Mapping[str, object]) -> list[str]:
    """The columns of a row that are not as wanted, each as a sentence."""
    missing = object()
    found = {name: getattr(row, name, missing) for name in wanted}
    return [
        f"there is no {name}" if found[name] is missing else f"{name} is {found[name]!r}, not {value!r}"
        for name, value in wanted.items()
        if found[name] != value
    ]


def check_columns(model: type, wanted: Mapping[str, object]) -> None:
    """Refuse names that no row of the model could have: a test that looks for them would say nothing.

    Raises:
        AssertionError: with the name that was probably meant.
    """
    known = [field.name for field in attrs.fields(model)] if attrs.has(model) else []
    for name in wanted:
        if known and name not in known and not hasattr(model, name):
            raise AssertionError(meant(f"{model.__name__} has no field {name!r}", name, known))


def no_such_row(model: type, wanted: Mapping[str, object], rows: Sequence[object]) -> str:
    """What to say where no row is as wanted; the rows that come nearest first."""
    described = ", ".join(f"{name}={value!r}" for name, value in wanted.items())
    lines = [f"no {model.__name__} with {described} is stored; there {_are(len(rows))}"]
    nearest = sorted(rows, key=lambda row: len(differing(row, wanted)))
    lines += [f"  {row!r}\n    {'; '.join(differing(row, wanted))}" for row in nearest[:5]]
    return "\n".join(lines)


def unequal(what: str, wanted: Sequence[object], found: Sequence[object]) -> str:
    """What to say where two lists differ."""
    return "\n".join([f"{what}: wanted", *_listed(wanted), "but found", *_listed(found)])


def shown(value: object) -> str:
    """A value on one line; fields of an attrs object that are at their default are left out."""
    cls: type[Any] = type(value)
    if not attrs.has(cls):
        return repr(value)
    fields = [field for field in attrs.fields(cls) if field.repr]
    told = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields
        if getattr(value, field.name) != field.default
    ]
    return f"{type(value).__name__}({', '.join(told)})"


def _are(count: int) -> str:
    return "is none" if count == 0 else "is 1 row" if count == 1 else f"are {count} rows"


def _listed(values: Sequence[object]) -> list[str]:
    return [f"  {value if isinstance(value, str) else shown(value)}" for value in values] or ["  nothing"]
