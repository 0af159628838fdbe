"""Rows: a model compiled into functions from values to the tuple that a store keeps, and back to the entity.

Everything that depends on the model alone is decided in ``compile_rows``; a row costs one call for each field.
"""

from __future__ import annotations

import datetime as dt
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from loom.application.fit import Fit, fit_of
from loom.application.models import TIMESTAMPS
from loom.domain.absent import ABSENT
from loom.domain.errors import FieldError, InvalidInput
from loom.domain.model import FieldSchema, ModelSchema
from loom.domain.schema import Kind, LogicalType
from loom.ports.codec import Codec

M = TypeVar("M")
Load: TypeAlias = Callable[[Any], Any]


@attrs.frozen
class Conversion:
    """How one store keeps one field: from the plain value (see ``fit``) to the driver's, and back; never for null."""

    store: Fit | None = None
    load: Load | None = None


@attrs.frozen
class _Slot:
    name: str
    take: Fit
    missing: Callable[[], Any]
    auto: bool


@attrs.frozen(eq=False, kw_only=True)
class RowPlan(Generic[M]):
    """One model's rows in one store. A row is a sequence in the order of ``schema.names``.

    Attributes:
        schema: the model.
        build: makes the entity of a stored row.
        fits: the plain form of a value of each field; raises ``ValueError`` where it does not fit.
        key_positions: where the key fields stand in a row.
        auto: the key that the store counts up, or ``None``.
    """

    schema: ModelSchema
    build: Callable[[Sequence[Any]], M]
    fits: Mapping[str, Fit]
    key_positions: tuple[int, ...]
    auto: str | None
    _slots: tuple[_Slot, ...]
    _takes: Mapping[str, Fit]
    _present: dict[type, tuple[str, ...]] = attrs.field(factory=dict, init=False)

    def insert(self, values: object, *, now: dt.datetime) -> list[Any]:
        """The row to store for new values; the counted key is null where none is given.

        Raises:
            InvalidInput: values that do not fit, or that are missing; all of them.
        """
        given = self._given(values)
        try:
            row = [
                slot.missing() if (value := given.get(slot.name, ABSENT)) is ABSENT else slot.take(value)
                for slot in self._slots
            ]
        except ValueError:
            raise self._faults(given) from None
        return self._stamped(row, now) if self.schema.timestamps else row

    def changes(self, key: Any, values: object, *, now: dt.datetime) -> dict[str, Any]:
        """What to store for changed fields, by name, without the key fields.

        Raises:
            InvalidInput: values that do not fit, or another key than that of the row; all of them.
        """
        given = self._given(values)
        identity = dict(zip((field.name for field in self.schema.keys), self.key(key), strict=True))
        changed: dict[str, Any] = {}
        errors: list[FieldError] = []
        for name, value in given.items():
            take = self._takes.get(name)
            if take is None or value is ABSENT or (self.schema.timestamps and name == TIMESTAMPS[1]):
                continue
            try:
                stored = take(value)
                if name not in identity:
                    changed[name] = stored
                elif stored != identity[name]:
                    raise ValueError("is part of the key, which does not change")
            except ValueError as error:
                errors += _field_errors(name, error)
        if errors:
            raise InvalidInput(errors, subject=self.schema.name)
        if self.schema.timestamps:
            changed[TIMESTAMPS[1]] = self._takes[TIMESTAMPS[1]](now)
        return changed

    def key(self, key: Any) -> tuple[Any, ...]:
        """The stored form of a key: a value, or a tuple for a composite key.

        Raises:
            InvalidInput: not a key of this model.
        """
        fields = self.schema.keys
        parts = key if len(fields) > 1 else (key,)
        if not isinstance(parts, tuple | list) or len(parts) != len(fields):
            names = ", ".join(field.name for field in fields)
            raise InvalidInput([FieldError(path=(), message=f"must be a tuple of ({names})")], subject="key")
        stored: list[Any] = []
        errors: list[FieldError] = []
        for field, part in zip(fields, parts, strict=True):
            try:
                stored.append(self._takes[field.name](part))
            except ValueError as error:
                errors += _field_errors(field.name, error)
        if errors:
            raise InvalidInput(errors, subject="key")
        return tuple(stored)

    def key_of(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The key inside a stored row."""
        return tuple(row[position] for position in self.key_positions)

    def _given(self, values: object) -> Mapping[str, Any]:
        if isinstance(values, Mapping):
            return values
        names = self._present.get(type(values))
        if names is None:
            names = self._present[type(values)] = self._names_in(type(values))
        return {name: getattr(values, name) for name in names}

    def _names_in(self, source: type) -> tuple[str, ...]:
        if not attrs.has(source):
            message = f"must be a mapping or an attrs object, not {source.__name__}"
            raise InvalidInput([FieldError(path=(), message=message)], subject=self.schema.name)
        return tuple(name for attribute in attrs.fields(source) if (name := attribute.name) in self._takes)

    def _stamped(self, row: list[Any], now: dt.datetime) -> list[Any]:
        for name in TIMESTAMPS:
            position = self.schema.names.index(name)
            if row[position] is None:
                row[position] = self._takes[name](now)
        return row

    def _faults(self, given: Mapping[str, Any]) -> InvalidInput:
        errors: list[FieldError] = []
        for slot in self._slots:
            value = given.get(slot.name, ABSENT)
            try:
                _ = slot.missing() if value is ABSENT else slot.take(value)
            except ValueError as error:
                errors += _field_errors(slot.name, error)
        return InvalidInput(errors, subject=self.schema.name)


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
    loads = {field.name: _load(field, codec, given.get(field.name)) for field in schema.fields}
    return RowPlan(
        schema=schema,
        build=_builder(schema, loads),
        fits=fits,
        key_positions=tuple(schema.names.index(field.name) for field in schema.keys),
        auto=next((field.name for field in schema.keys if field.options.autoincrement), None),
        slots=tuple(
            _Slot(field.name, take, _missing(field, attributes[field.name], take), field.options.autoincrement)
            for field in schema.fields
            for take in (takes[field.name],)
        ),
        takes=takes,
    )


def _take(field: FieldSchema, fit: Fit, conversion: Conversion | None) -> Fit:
    store = conversion.store if conversion else None
    whole = fit if store is None else _then(fit, store)
    optional = field.type.nullable or field.options.autoincrement
    return _null_safe(whole) if optional else whole


def _load(field: FieldSchema, codec: Codec, conversion: Conversion | None) -> Load | None:
    first = conversion.load if conversion else None
    second = _python_load(field, codec)
    return _then(first, second) if first and second else first or second


def _python_load(field: FieldSchema, codec: Codec) -> Load | None:
    logical = field.type
    if fit_of(logical) is None:
        return _json_load(logical, codec)
    if logical.kind is Kind.ENUM:
        return None if typing.get_origin(logical.python) is typing.Literal else _member(field)
    # A subclass of a scalar (class Sku(str)) comes back as what the model says.
    plain = (bool, int, float, str, bytes)
    known = not issubclass(logical.python, plain) or logical.python in plain
    return None if known else typing.cast("Load", logical.python)


def _member(field: FieldSchema) -> Load:
    members = {member.value: member for member in field.type.python}

    def load(value: Any) -> Any:
        try:
            return members[value]
        except KeyError:
            error = FieldError(path=(field.name,), message=f"stored value {value!r} is none of {sorted(members)}")
            raise InvalidInput([error], subject="stored row") from None

    return load


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


def _json_load(logical: LogicalType, codec: Codec) -> Load:
    target = logical.python
    return lambda text: codec.decode(text.encode(), target)


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


def _field_errors(name: str, error: ValueError) -> list[FieldError]:
    if isinstance(error, InvalidInput):
        return [attrs.evolve(each, path=(name, *each.path)) for each in error.errors]
    return [FieldError(path=(name,), message=str(error))]


def _then(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: second(first(value))


def _null_safe(fit: Fit) -> Fit:
    return lambda value: None if value is None else fit(value)


def _builder(schema: ModelSchema, loads: Mapping[str, Load | None]) -> Callable[[Sequence[Any]], Any]:
    """Write the constructor call out once, as attrs does for ``__init__``, rather than building a dict for each row."""
    attributes = {attribute.name: attribute for attribute in attrs.fields(schema.model)}
    names: dict[str, Any] = {"model": schema.model, "put": object.__setattr__}
    arguments, later = [], []
    for position, name in enumerate(schema.names):
        value = f"row[{position}]"
        load = loads[name]
        if load is not None:
            names[f"load{position}"] = load
            value = f"(None if {value} is None else load{position}({value}))"
        if attributes[name].init:
            arguments.append(f"{attributes[name].alias}={value}")
        else:
            later.append(f"    put(entity, {name!r}, {value})")
    source = "\n".join(
        ["def build(row):", f"    entity = model({', '.join(arguments)})", *later, "    return entity", ""]
    )
    exec(compile(source, f"<rows of {schema.name}>", "exec"), names)
    return typing.cast("Callable[[Sequence[Any]], Any]", names["build"])
