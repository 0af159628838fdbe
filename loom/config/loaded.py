"""What loading a configuration gives: values, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs

from loom.domain.errors import Issue, Place

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the root of the configuration down to a value."""


def dotted(path: KeyPath) -> str:
    """``jobs.overrides.Notify.queue``; list items as ``include[0]``."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


@attrs.frozen(kw_only=True, repr=False)
class Loaded:
    """Merged and resolved values, and where each came from.

    Attributes:
        values: plain dictionaries, lists and scalars; text that an interpolation gave is ``Spoken``.
        places: where each key path was set last.
        faulty: key paths that could not be resolved and are not in ``values``.
        secrets: key paths whose values ``loom.secret`` gave.
        issues: what was wrong with the faulty ones.
    """

    values: Mapping[str, Any]
    places: Mapping[KeyPath, Place]
    faulty: frozenset[KeyPath] = frozenset()
    secrets: frozenset[KeyPath] = frozenset()
    issues: tuple[Issue, ...] = ()

    def place(self, path: KeyPath) -> Place:
        """Where a key path was set; for one that nobody set, where the nearest key above it was."""
        for length in range(len(path), 0, -1):
            found = self.places.get(path[:length])
            if found is not None:
                return attrs.evolve(found, name=dotted(path))
        return Place(name=dotted(path))
