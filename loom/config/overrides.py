"""Overrides: ``section.key=value`` each, from a command line or a program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from loom.config.loaded import KeyPath, Loaded, dotted
from loom.domain.errors import Place

OVERRIDE = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*=.*", re.DOTALL)
_PLAIN_TEXT = re.compile(r"[A-Za-z_]([\w+./:@?&=%-]*[\w+./@?&=%-])?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
# What YAML reads as something else than text, or did in one of its versions.
_WORDS = frozenset(["y", "yes", "n", "no", "true", "false", "on", "off", "null", "none"])


def key_path(text: str) -> KeyPath:
    """The key path that an override sets."""
    return tuple(text.partition("=")[0].split("."))


def placed(path: KeyPath, places: dict[KeyPath, Place]) -> None:
    """Note that an override set a key path, and with it the sections above that no file holds.

    The items of a list are its own as well, since lists are replaced; what is below a mapping stays where it was.
    """
    items = [each for each in places if each[:-1] == path and isinstance(each[-1], int)]
    for each in items:
        del places[each]
    for length in range(1, len(path)):
        places.setdefault(path[:length], Place(name=dotted(path[:length]), file="override"))
    places[path] = Place(name=dotted(path), file="override")


def load_plain(overrides: Iterable[str]) -> Loaded | None:
    """The configuration of overrides alone, or ``None`` where one of them needs YAML or an interpolation to be read.

    Words, addresses and whole numbers mean the same with and without YAML. A kernel that is configured by its program
    thereby starts without the libraries that read files, which take longer to import than the kernel itself.
    """
    values: dict[str, Any] = {}
    places: dict[KeyPath, Place] = {}
    for text in overrides:
        value = _plain(text.partition("=")[2]) if OVERRIDE.fullmatch(text) else None
        if value is None or not _set(values, key_path(text), value):
            return None
        placed(key_path(text), places)
    return Loaded(values=values, places=places)


def _plain(text: str) -> str | int | None:
    if _PLAIN_NUMBER.fullmatch(text):
        return int(text)
    return text if _PLAIN_TEXT.fullmatch(text) and text.lower() not in _WORDS else None


def _set(values: dict[str, Any], path: KeyPath, value: str | int) -> bool:
    """Whether it could be done: a value has no keys, and does not take the place of keys."""
    *above, last = map(str, path)
    inner: Any = values
    for name in above:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            return False
    if isinstance(inner.get(last), dict):
        return False
    inner[last] = value
    return True
