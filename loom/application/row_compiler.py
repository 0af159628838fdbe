"""The compiler of rows: everything that depends on the model alone is decided here, once.

A row then costs one call for each field, and an entity one call of its constructor.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from loom.application.builders import row_builder
from loom.application.fit import Fit, fit_of
from loom.application.projections import ProjectionPlan, plain_value
from loom.application.rows import Conversion, Load, RowPlan, Slot
from loom.domain.constraints import TIMESTAMPS
from loom.domain.errors import EngineFailure, FieldError, InvalidInput
from loom.domain.model import FieldOptions, FieldSchema, ModelSchema
from loom.domain.schema import Kind, LogicalType
from loom.ports.codec import Codec


def compile_rows(
    schema: ModelSchema, codec: Codec, conversions: Mapping[str, Conversion] | None = None
) -> RowPlan[Any]:
    """Compile the rows of a model.

    Args:
        schema: the model.
        codec: writes JSON, arrays and structs as text, and reads them back.
        conversions: what the store needs for each field; nothing where the driver takes plain values.
    """
    given = conversions or {}
    fits = {field.name: fit_of(field.type) or _json_fit(field, codec) for field in schema.fields}
    takes = {field.name: _take(field, fits[field.name], given.get(field.name)) for field in schema.fields}
    attributes = {attribute.name: attribute for attribute in attrs.fields(schema.model)}
    loads = {
        field.name: _load(field, codec, given.get(field.name), f"{schema.table}.{field.name}")
        for field in schema.fields
    }
    return RowPlan(
        schema=schema,
        build=row_builder(schema, loads),
        loads=loads,
        fits=fits,
        key_positions=tuple(schema.names.index(field.name) for field in schema.keys),
        auto=next((field.name for field in schema.keys if field.options.autoincrement), None),
        slots=tuple(_slot(schema, field, attributes[field.name], takes[field.name]) for field in schema.fields),
        takes=takes,
        # When a row was created may be corrected; the others are the store's alone.
        kept=frozenset(schema.kept) - {TIMESTAMPS[0]},
    )


def computed_load(plan: ProjectionPlan, codec: Codec, conversion: Conversion | None = None) -> Load | None:
    """How a computed value, as a store gives it, becomes that of the entity.

    Args:
        plan: the projection.
        codec: as for stored fields.
        conversion: what the store needs; nothing where it gives plain values.
    """
    if plan.type is None:
        return None
    field = FieldSchema(name=plan.name, type=plan.type, options=FieldOptions(), required=True)
    first = _then(conversion.load, plain_value(plan)) if conversion and conversion.load else plain_value(plan)
    second = _python_load(field, codec, f"{plan.relation.target.table}, of which {plan.name} is computed,")
    return _then(first, second) if second else first


def _slot(schema: ModelSchema, field: FieldSchema, attribute: attrs.Attribute[Any], take: Fit) -> Slot:
    if field.name == schema.version:
        return Slot(field.name, lambda _: 1, lambda: 1, False)
    if field.name == schema.deleted_at:
        return Slot(field.name, lambda _: None, lambda: None, False)
    return Slot(field.name, take, _missing(field, attribute, take), field.options.autoincrement)


def _take(field: FieldSchema, fit: Fit, conversion: Conversion | None) -> Fit:
    store = conversion.store if conversion else None
    whole = fit if store is None else _then(fit, store)
    optional = field.type.nullable or field.options.autoincrement
    return _null_safe(whole) if optional else whole


def _load(field: FieldSchema, codec: Codec, conversion: Conversion | None, column: str) -> Load | None:
    first = conversion.load if conversion else None
    second = _python_load(field, codec, column)
    return _then(first, second) if first and second else first or second


def _python_load(field: FieldSchema, codec: Codec, column: str) -> Load | None:
    logical = field.type
    if fit_of(logical) is None:
        return _json_load(logical, codec, column)
    if logical.kind is Kind.ENUM:
        return None if typing.get_origin(logical.python) is typing.Literal else _member(field, column)
    # A subclass of a scalar (class Sku(str)) comes back as what the model says.
    plain = (bool, int, float, str, bytes, Decimal)
    known = not issubclass(logical.python, plain) or logical.python in plain
    return None if known else typing.cast("Load", logical.python)


class _Members(dict[Any, Any]):
    """The members of an enumeration by their values."""

    def __init__(self, field: FieldSchema, column: str) -> None:
        super().__init__({member.value: member for member in field.type.python})
        self._column = column

    def __missing__(self, value: Any) -> Any:
        raise _outdated(self._column, f"{value!r} is none of {sorted(self)}")


def _member(field: FieldSchema, column: str) -> Load:
    # The look-up itself: a function around it would cost as much again.
    return _Members(field, column).__getitem__


def _outdated(column: str, told: object) -> EngineFailure:
    """The error of a stored value that the model does not take any more, which is no fault of who asks for it."""
    message = f"a row of {column} holds a value that its model does not take: {told}"
    return EngineFailure(message, remedy="migrate the rows that are there, or let the model take them")


def _json_fit(field: FieldSchema, codec: Codec) -> Fit:
    target = field.type.python

    def fit(value: Any) -> str:
        if value is None:
            raise ValueError("must not be null")
        try:
            encoded = codec.encode(value)
        except TypeError as error:
            raise ValueError(str(error)) from error
        # Read back at once: what cannot be read later is not stored now.
        codec.decode(encoded, target)
        return encoded.decode()

    return fit


def _json_load(logical: LogicalType, codec: Codec, column: str) -> Load:
    target = logical.python

    def load(text: str) -> Any:
        try:
            return codec.decode(text.encode(), target)
        except InvalidInput as error:
            raise _outdated(column, error) from error

    return load


def _missing(field: FieldSchema, attribute: attrs.Attribute[Any], take: Fit) -> Callable[[], Any]:
    default = attribute.default
    if field.options.autoincrement:
        return lambda: None
    if default is attrs.NOTHING or getattr(default, "takes_self", False):
        return _required
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        factory = typing.cast("Any", default).factory
        return lambda: take(factory())
    if default is None:
        return (lambda: None) if field.type.nullable else _required
    constant = take(default)
    return lambda: constant


def _required() -> Any:
    raise InvalidInput([FieldError(path=(), message="is required", code="required")])


def _then(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: second(first(value))


def _null_safe(fit: Fit) -> Fit:
    return lambda value: None if value is None else fit(value)
