"""Faults found while a value is structured, and the words in which a person reads them.

No fault repeats the value that was sent: it may be a secret, and it ends up in logs and answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from loom.application.compile import meant
from loom.domain.errors import FieldError


class Faults(Exception):
    """Everything that is wrong with one value. Paths are relative to it; containers put their own key before."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(self.errors)


def fault(message: str, code: str = "invalid", *, key: str | None = None) -> Faults:
    """One fault of the value itself, or of its entry ``key``."""
    return Faults([FieldError(path=() if key is None else (key,), message=message, code=code)])


def mismatch(expected: str, value: object) -> Faults:
    """The value is of another type."""
    return fault(f"must be {expected}, not {word(value)}", "type")


def unknown(key: str, known: Iterable[str]) -> FieldError:
    """A key that the class does not have."""
    return FieldError(path=(key,), message=meant("unknown field", key, known), code="unknown")


def not_a_choice(value: object, choices: Iterable[object]) -> Faults:
    """The value is none of an enumeration."""
    listed = [repr(choice) if isinstance(choice, str) else str(choice) for choice in choices]
    text = f"must be one of {', '.join(listed[:12])}{', ...' if len(listed) > 12 else ''}"
    names = [choice for choice in choices if isinstance(choice, str)]
    return fault(meant(text, value, names) if isinstance(value, str) else text, "choice")


def below(key: str | int, error: Exception) -> list[FieldError]:
    """The faults of the entry ``key`` as faults of its container. Foreign errors keep their text."""
    if isinstance(error, Faults):
        return [attrs.evolve(found, path=(key, *found.path)) for found in error.errors]
    return [FieldError(path=(key,), message=text_of(error))]


def text_of(error: Exception) -> str:
    """The text of an error that user code raised. attrs' ``instance_of`` puts more than text into ``args``."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, str) and first else str(error) or type(error).__name__


_WORDS: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "a whole number"),
    (float, "a number with a fraction"),
    (str, "text"),
    (bytes, "bytes"),
    (Mapping, "an object"),
    (list, "a list"),
    (tuple, "a list"),
)


def word(value: object) -> str:
    """What a value is, in the words of the one who sent it."""
    for kind, name in _WORDS:
        if isinstance(value, kind):
            return name
    return type(value).__name__


def type_word(annotation: Any) -> str:
    """What an annotation asks for, in one word."""
    plain: dict[Any, str] = {
        type(None): "null",
        bool: "a boolean",
        int: "a whole number",
        float: "a number",
        str: "text",
    }
    return plain.get(annotation, getattr(annotation, "__name__", str(annotation)))
