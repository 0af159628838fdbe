"""The commands of generated operations: the shapes for creating and for patching, both derived from the model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Union

import attrs

from loom.domain.absent import ABSENT, Absent
from loom.domain.model import FieldSchema, ModelSchema, command, field, hints_of, key
from loom.domain.schema import Kind

NO_SEGMENTS = ("", ".", "..")
"""Texts that no path can hold as a segment."""


def create_command(schema: ModelSchema, optional: Collection[str] = (), without: Collection[str] = ()) -> type:
    """The command ``Create<Model>``: every field but keys that the store gives and kept timestamps.

    The ``optional`` ones may be left out whatever the model says: something else fills them in. Those that it is
    ``without`` cannot be given at all.
    """
    wanted = [entry for entry in _written(schema) if not entry.options.autoincrement and entry.name not in without]
    hints, attributes = _declared(schema)
    annotations = {entry.name: hints[entry.name] for entry in wanted}
    fields = {
        entry.name: _field(entry, attributes[entry.name].default, attributes[entry.name].validator) for entry in wanted
    }
    for entry in wanted:
        if entry.name in optional:
            annotations[entry.name] = Union[hints[entry.name], Absent]  # noqa: UP007 - the members are values
            fields[entry.name] = _field(entry, ABSENT, _where_sent(attributes[entry.name].validator))
    return _command(f"Create{schema.name}", schema, annotations, fields)


def patch_command(schema: ModelSchema, without: Collection[str] = ()) -> type:
    """The command ``Update<Model>``: every field but keys and kept timestamps, each ``Patch[T] = ABSENT``."""
    wanted = [entry for entry in _written(schema) if not entry.options.key and entry.name not in without]
    hints, attributes = _declared(schema)
    return _command(
        f"Update{schema.name}",
        schema,
        {entry.name: Union[hints[entry.name], Absent] for entry in wanted},  # noqa: UP007 - the members are values
        {entry.name: _field(entry, ABSENT, _where_sent(attributes[entry.name].validator)) for entry in wanted},
    )


def keyed_patch_command(schema: ModelSchema, patch: type) -> type:
    """The command ``Update<Model>Item``: a patch, and the key of the row that it is for."""
    hints, attributes = hints_of(patch), attrs.fields_dict(patch)
    return _command(
        f"Update{schema.name}Item",
        schema,
        {**_key_hints(schema), **hints},
        {**_key_fields(schema), **{name: _copied(schema, name, held) for name, held in attributes.items()}},
    )


def key_command(schema: ModelSchema) -> type:
    """The command ``<Model>Key``: what names one row."""
    return _command(f"{schema.name}Key", schema, _key_hints(schema), _key_fields(schema))


def _key_hints(schema: ModelSchema) -> dict[str, Any]:
    hints = hints_of(schema.model)
    return {entry.name: hints[entry.name] for entry in schema.keys}


def _key_fields(schema: ModelSchema) -> dict[str, Any]:
    return {entry.name: _field(entry, attrs.NOTHING, None) for entry in schema.keys}


def _copied(schema: ModelSchema, name: str, held: attrs.Attribute[Any]) -> Any:
    entry = next(each for each in schema.fields if each.name == name)
    return _field(entry, held.default, held.validator)


def _written(schema: ModelSchema) -> Iterable[FieldSchema]:
    return [entry for entry in schema.fields if entry.name not in schema.kept]


def _declared(schema: ModelSchema) -> tuple[dict[str, Any], dict[str, attrs.Attribute[Any]]]:
    return hints_of(schema.model), attrs.fields_dict(schema.model)


def _field(entry: FieldSchema, default: Any, validator: Callable[..., None] | None) -> Any:
    given = {} if default is attrs.NOTHING else {"default": default}
    if entry.options.key and entry.type.kind is Kind.STRING:
        made = (
            field(max_length=entry.options.max_length, **given) if given else key(max_length=entry.options.max_length)
        )
        made.validator(_addresses)
    else:
        made = field(
            max_length=entry.options.max_length, precision=entry.options.precision, scale=entry.options.scale, **given
        )
    if validator is not None:
        made.validator(validator)
    return made


def _addresses(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A text key stands in the path of its row, where clients take these for something else (RFC 3986, 5.2.4)."""
    if value in NO_SEGMENTS:
        raise ValueError("must not be empty, '.' or '..', because the row is addressed by it")


def _where_sent(validator: Callable[..., None] | None) -> Callable[..., None] | None:
    if validator is None:
        return None

    def validate(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is not ABSENT:
            validator(instance, attribute, value)

    return validate


def _command(name: str, schema: ModelSchema, annotations: dict[str, Any], fields: dict[str, Any]) -> type:
    namespace = {
        "__annotations__": annotations,
        "__module__": schema.model.__module__,
        "__doc__": f"Generated from {schema.name}.",
        **fields,
    }
    return command(type(name, (), namespace))
