"""What text means: the types that a CSV file's values have, and patterns in the form that every engine's regular
expressions share. One place, so that engines agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loom.domain.expr_python import like_parts
from loom.domain.schema import Kind

# The numbers of 19 digits up to 2^63 - 1, and down to -2^63: engines' regular expressions cannot count.
_MOST: Final = "9223372036854775807"
_SMALLER: Final = "|".join(
    f"{_MOST[:at]}[{'1' if at == 0 else '0'}-{int(digit) - 1}][0-9]{{{18 - at}}}"
    for at, digit in enumerate(_MOST)
    if int(digit) > (at == 0)
)
_NINETEEN: Final = f"-?({_SMALLER}|{_MOST})|-9223372036854775808"

INFERRED: Mapping[Kind, str] = {
    # Leading zeros mean a code, not a number, and so do more digits than a signed 64-bit integer has.
    Kind.INT: rf"^(-?(0|[1-9][0-9]{{0,17}})|{_NINETEEN})$",
    # A whole number of many digits would become another one: what is no integer is then text, never a float.
    Kind.FLOAT: r"^-?((0|[1-9][0-9]{0,14})|(0|[1-9][0-9]*)(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))$",
    Kind.BOOL: r"^(true|false)$",
    Kind.DATE: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    # Without an offset the moment is not known, and the text stays text.
    Kind.DATETIME: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$",
}
"""The kinds that a column of text can turn out to be, the narrowest first, and what all its values then look like."""


def inferred_kind(fits: Mapping[Kind, bool]) -> Kind:
    """The narrowest kind that all values fit, else text."""
    return next((kind for kind in INFERRED if fits[kind]), Kind.STRING)


def like_regex(pattern: str, *, ignore_case: bool) -> str:
    """A ``LIKE`` pattern as a regular expression that Rust and Java read alike."""
    wildcards = {"%": ".*", "_": "."}
    body = "".join(wildcards.get(part) or _character(part[-1], ignore_case) for part in like_parts(pattern))
    return rf"(?s)\A{body}\z"


def _character(character: str, ignore_case: bool) -> str:
    if character.isascii() and character.isalpha():
        return f"[{character.lower()}{character.upper()}]" if ignore_case else character
    return character if character.isascii() and character.isdigit() else f"\\x{{{ord(character):X}}}"
