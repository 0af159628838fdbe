"""How deeply JSON may be nested: a fixed depth, far below what any part of a program that handles it can take."""

from __future__ import annotations

import re
from typing import Final

from loom.domain.errors import MalformedInput

MOST_LEVELS: Final = 128
"""Lists and objects inside each other. RFC 8259, section 9, lets a reader set this limit."""

_SAME: Final = bytes.maketrans(b"{}", b"[]")
_OTHER: Final = bytes(set(range(256)) - set(b"[]{}"))
# Text without an end is one, up to the end: otherwise each quote in it would be tried as the beginning of another.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def check_depth(data: bytes) -> None:
    """Refuse JSON that is nested too deeply; what is no JSON at all is left to its reader.

    Raises:
        MalformedInput: it is nested deeper than ``MOST_LEVELS``.
    """
    if data.count(b"[") + data.count(b"{") <= MOST_LEVELS:
        return
    # Brackets in text are rare, and finding them costs more than all the rest: only where they may decide.
    if _left(data) and _left(_STRING.sub(b"", data)):
        raise MalformedInput(f"JSON is nested deeper than {MOST_LEVELS} levels", remedy="send a flatter document")


def _left(data: bytes) -> bool:
    """Whether brackets are left after the innermost ones have been taken away so many times."""
    brackets = data.translate(_SAME, _OTHER)
    for _ in range(MOST_LEVELS):
        fewer = brackets.replace(b"[]", b"")
        if len(fewer) == len(brackets):
            return False  # none are left, or it is no JSON
        brackets = fewer
    return b"[]" in brackets
