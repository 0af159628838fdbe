"""What a use case's result becomes: an empty answer, a value, a page, or a stream of values."""

from __future__ import annotations

import datetime as dt
import enum
import inspect
import typing
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from urllib.parse import quote

from loom.application.compile import Issues
from loom.application.rest.components import check_schema
from loom.application.rest.declare import RestRoute
from loom.application.rest.plan import Reply, ReplyPlan
from loom.application.rest.preconditions import versioned
from loom.application.rest.reuse import made_status
from loom.application.usecase.created import Created
from loom.application.usecase.plan import UseCasePlan
from loom.domain.errors import Place
from loom.domain.query import Page

_NO_BODY = (204, 205)


def compile_reply(route: RestRoute, plan: UseCasePlan, where: Place, issues: Issues) -> ReplyPlan:
    """Read the result annotation of a use case; what has no JSON form, or no place in the status, is an issue."""
    created = typing.get_origin(plan.result) is Created
    kind, value = _kind(typing.get_args(plan.result)[0] if created else plan.result)
    usual = 201 if created else made_status(plan.use_case, plan.result) or (204 if kind is Reply.EMPTY else 200)
    status = route.status_code or usual
    if not 200 <= status <= 299:
        issues.add("LOOM-REST-014", where, f"status_code {status} is no success", "give one from 200 to 299")
    elif status in _NO_BODY and kind is not Reply.EMPTY:
        issues.add(
            "LOOM-REST-014",
            where,
            f"status_code {status} has no body, but {plan.name} returns {inspect.formatannotation(plan.result)}",
            "return None, or answer 200",
        )
    if created and kind is not Reply.VALUE:
        issues.add(
            "LOOM-REST-015",
            where,
            f"{plan.name} returns {inspect.formatannotation(plan.result)}, which is not one thing that was made",
            "write Created[Model]",
        )
    if kind is not Reply.EMPTY and (fault := check_schema(value)):
        issues.add(
            "LOOM-REST-015",
            where,
            f"the result of {plan.name} has no JSON form: {fault}",
            "return an attrs class, a scalar, or a list of them",
        )
    version = versioned(value) if kind is Reply.VALUE else ""
    return ReplyPlan(kind=kind, status=status, type=value, created=created, version=version)


def location_of(prefix: str, names: Sequence[str]) -> Callable[[Any], str]:
    """The function that builds the path of a row from the row, whose keys of these names stand behind the prefix."""

    def locate(row: Any) -> str:
        return prefix + "".join(["/" + segment_of(getattr(row, name)) for name in names])

    return locate


def _kind(result: Any) -> tuple[Reply, Any]:
    if result is None or result is type(None):
        return Reply.EMPTY, None
    if typing.get_origin(result) is AsyncIterator:
        return Reply.STREAM, typing.get_args(result)[0]
    if typing.get_origin(result) is Page:
        return Reply.PAGE, typing.get_args(result)[0]
    return Reply.VALUE, result


def segment_of(value: object) -> str:
    """A key as it stands in a path."""
    # A number has nothing to escape, and most keys are numbers.
    return str(value) if type(value) is int else quote(_text(value), safe="")


def _text(value: object) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else str(value)
