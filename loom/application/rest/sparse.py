"""Sparse fields over HTTP: ``?fields=sku,name`` reads these columns from the store, and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NewType

from loom.application.compile import Issues
from loom.application.conversion.faults import Faults, not_a_choice
from loom.application.rest.declare import RestInterface
from loom.application.rest.plan import ParameterPlan
from loom.domain.errors import FieldError, InvalidInput, Place
from loom.domain.model import ModelSchema
from loom.domain.query import Page, Query
from loom.domain.schema import logical_type
from loom.ports.persistence import Repository

Fields = NewType("Fields", tuple[str, ...])
"""A parameter of ``execute`` so annotated takes ``?fields=``: the columns that the client wants, none for all."""

PARAMETER = "fields"


def compile_fields(
    interface: type[RestInterface[Any]], schema: ModelSchema, where: Place, issues: Issues
) -> ParameterPlan | None:
    """The parameter ``fields`` of an interface; ``None`` where it declares none."""
    names = tuple(dict.fromkeys(interface.fields))
    for name in names:
        if schema.field(name) is None:
            issues.unknown("LOOM-REST-070", where, f"{interface.__name__}.fields: column", name, schema.names)
    if not names:
        return None
    return ParameterPlan(
        name=PARAMETER,
        type=logical_type(list[Literal[names]]),  # type: ignore[valid-type]
        required=False,
        read=_reader(names),
        separated=True,
        description="columns to answer, beside the key; all where nothing is said",
    )


async def pick_page(repository: Repository[Any], query: Query, fields: Sequence[str], profile: str) -> Page[Any]:
    """A page of rows with these columns alone. ``profile`` is what rows are read with where nobody asks.

    Raises:
        InvalidInput: the query asks for another profile, whose parts are no columns.
    """
    _refuse_profile(query.profile, profile)
    return await repository.pick(query, fields)


async def pick_row(repository: Repository[Any], key: Any, fields: Sequence[str], profile: tuple[str, str]) -> Any:
    """The row of a key with these columns alone, or ``None``. ``profile`` is what was asked for, and what is usual.

    Raises:
        InvalidInput: another profile than the usual one was asked for.
    """
    _refuse_profile(*profile)
    return await repository.pick_one(key, fields)


def _refuse_profile(asked: str, usual: str) -> None:
    if asked != usual:
        message = "names columns, and so excludes a profile"
        raise InvalidInput([FieldError(path=(PARAMETER,), message=message, code="excluded")], subject="request")


def _reader(names: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        parts = tuple(dict.fromkeys(text.split(",")))
        faults = [error for part in parts if part not in names for error in not_a_choice(part, names).errors]
        if faults:
            raise Faults(faults)
        return parts

    return read
