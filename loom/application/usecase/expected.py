"""What ``ExpectedVersion`` does: the version that the caller read before it decided, for the store to compare.

HTTP reads it from ``If-Match``; every other caller gives it by the name of the parameter.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Final, Union

import attrs

from loom.application.usecase.markers import ExpectedVersionMarker
from loom.application.usecase.parameters import MARKERS, Declared, MarkerKind, plain_param, shown
from loom.application.usecase.plan import ParamPlan
from loom.domain.errors import PreconditionFailed

EXPECTED: Final = "expected"
"""The source of such a parameter."""


def _expected(name: str, annotation: Any, marker: ExpectedVersionMarker, declared: Declared) -> list[ParamPlan]:
    optional = typing.get_origin(annotation) in (Union, types.UnionType)
    if not optional or set(typing.get_args(annotation)) != {int, type(None)}:
        declared.add(
            "LOOM-CORE-130",
            f"{name!r} is an ExpectedVersion(), but annotated {shown(annotation)}",
            f"write {name}: int | None",
        )
    plan = plain_param(name, annotation, source=EXPECTED, default=None)
    return [attrs.evolve(plan, raises=(PreconditionFailed,))]


MARKERS.register(ExpectedVersionMarker, MarkerKind(_expected, given=True))
