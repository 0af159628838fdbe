"""The fields of a command: defaults that no client could send, and patches that cannot be left out."""

from __future__ import annotations

import attrs

from loom.application.fit import fit_of
from loom.application.usecase.parameters import Declared
from loom.domain.absent import ABSENT
from loom.domain.model import FieldSchema, ModelSchema


def check_command(schema: ModelSchema, declared: Declared) -> None:
    """Record the fields of a command whose declaration contradicts itself."""
    attributes = attrs.fields_dict(schema.model)
    for field in schema.fields:
        what = f"{schema.name}.{field.name}"
        default = attributes[field.name].default
        if field.type.patch and default is attrs.NOTHING:
            declared.add(
                "LOOM-CORE-133",
                f"{what} is a Patch, but has no default, so that it cannot be left out",
                f"write {field.name}: Patch[...] = ABSENT",
            )
        elif not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            _check_default(what, field, default, declared)


def _check_default(what: str, field: FieldSchema, default: object, declared: Declared) -> None:
    if default is attrs.NOTHING or (default is ABSENT and field.type.patch):
        return
    told = f"the default {default!r} of {what} does not fit its type"
    if default is ABSENT:
        declared.add("LOOM-CORE-133", told, f"write {field.name}: Patch[...] = ABSENT")
    elif default is None:
        if not field.type.nullable:
            declared.add("LOOM-CORE-133", f"{told}: it is never null", f"write {field.name}: ... | None")
    else:
        fit = fit_of(field.type)
        try:
            _ = fit(default) if fit is not None else None
        except ValueError as error:
            declared.add("LOOM-CORE-133", f"{told}: it {error}", "correct the default or the type")
