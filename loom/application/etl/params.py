"""Parameters of a run: frozen values that name what the run is about."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, dataclass_transform

import attrs

from loom.domain.model import field, schema_of
from loom.domain.schema import Kind


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, attrs.field))
class ETLParams:
    """Base of parameter classes: ``class DailyParams(ETLParams): run_date: date`` is a frozen, keyword-only value.

    Any other attrs class serves as parameters too. The base itself is the parameters of a pipeline that has none.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # slots=False changes the class in place; a slotted one would be made anew and come through here again.
        if "__attrs_attrs__" not in vars(cls):
            attrs.frozen(cls, slots=False, kw_only=True)


attrs.frozen(ETLParams, slots=False, kw_only=True)


def param_kinds(params: type) -> Mapping[str, Kind]:
    """Name and kind of each parameter.

    Raises:
        TypeError: not an attrs class, or a field without a logical type.
    """
    return {field.name: field.type.kind for field in schema_of(params).fields}


def params_text(params: object) -> dict[str, str]:
    """The parameters as text, for records and identities; equal parameters have equal text."""
    values = attrs.asdict(params, recurse=False)  # type: ignore[arg-type]
    return {name: _text(value) for name, value in values.items()}


def params_identity(params: object) -> str:
    """A short digest of the parameters' text."""
    text = json.dumps(params_text(params), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(value: object) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, str) else repr(value)
