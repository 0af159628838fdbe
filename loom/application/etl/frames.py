"""Frames by annotation: which kind of frame a step takes and gives, read without importing any of the libraries."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from loom.domain.frozen import frozen


@frozen
class FrameKind:
    """A kind of lazy frame. ``api`` is the module whose frames the step was written for."""

    name: str
    api: str


POLARS = "polars.LazyFrame"
SPARK = "pyspark.sql.DataFrame"
PORTABLE = "narwhals.LazyFrame"

_LAZY: Mapping[tuple[str, str], str] = {
    ("polars", "LazyFrame"): POLARS,
    ("pyspark", "DataFrame"): SPARK,
    ("narwhals", "LazyFrame"): PORTABLE,
}
_EAGER: Mapping[tuple[str, str], str] = {
    ("polars", "DataFrame"): POLARS,
    ("narwhals", "DataFrame"): PORTABLE,
    ("pandas", "DataFrame"): PORTABLE,
}


def frame_kind(annotation: Any) -> FrameKind | None:
    """The kind of frame that an annotation means, or ``None`` where it means none."""
    library, name, module = _origin(annotation)
    found = _LAZY.get((library, name))
    if found is None:
        return None
    # A narwhals frame must be wrapped by the version of its API that the step was written for.
    api = ".".join(module.split(".")[:3]) if module.startswith("narwhals.stable.") else library
    return FrameKind(found, api)


def lazy_instead(annotation: Any) -> str:
    """The lazy kind that an eager frame's annotation should name, or the empty string."""
    library, name, _ = _origin(annotation)
    return _EAGER.get((library, name), "")


def frame_names() -> list[str]:
    """All kinds of frames, for messages."""
    return sorted(set(_LAZY.values()))


def _origin(annotation: Any) -> tuple[str, str, str]:
    target = typing.get_origin(annotation) or annotation
    module = getattr(target, "__module__", "") or ""
    return module.partition(".")[0], getattr(target, "__name__", ""), module
