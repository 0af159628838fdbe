"""Logical types: the one place where a field's type decides its form everywhere.

A Python annotation is read into a ``LogicalType``. ``TYPE_TABLE`` then names, for each kind, the JSON schema and
the type names of every adapter. Adapters look their column up and never invent a mapping of their own.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Any, Literal, Union

import attrs

from loom.domain.absent import Absent
from loom.domain.frozen import frozen


class Kind(enum.Enum):
    """The logical kinds. Every adapter supports all of them or says at compile time that it does not."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    DECIMAL = "decimal"
    STRING = "string"
    BYTES = "bytes"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DURATION = "duration"
    UUID = "uuid"
    ENUM = "enum"
    JSON = "json"
    ARRAY = "array"
    STRUCT = "struct"


@frozen(kw_only=True)
class LogicalType:
    """A field's type without any vendor in it.

    ``precision`` and ``scale`` count decimal digits, ``max_length`` counts characters (bytes for ``BYTES``).
    ``python`` is the annotation without ``None``, ``Patch`` and ``Annotated``.
    """

    kind: Kind
    python: Any
    nullable: bool = False
    patch: bool = False
    max_length: int | None = None
    precision: int = 38
    scale: int = 9
    item: LogicalType | None = None
    values: tuple[object, ...] = ()


@frozen
class TypeRow:
    """One line of the type table: how one kind is spelled outside. Names are those of each library."""

    json: Mapping[str, object]
    sql: str
    polars: str
    spark: str
    arrow: str


# The formats `time` and `duration` of JSON schema mean other texts: with a zone, and without fractions or a sign.
_TIME_OF_DAY = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?$"
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_DURATION = "^-?P(?=[0-9T])([0-9]{1,9}D)?(T(?=[0-9])([0-9]{1,6}H)?([0-9]{1,6}M)?([0-9]{1,6}(\\.[0-9]{1,6})?S)?)?$"

TYPE_TABLE: Mapping[Kind, TypeRow] = {
    Kind.BOOL: TypeRow({"type": "boolean"}, "Boolean", "Boolean", "boolean", "bool_"),
    Kind.INT: TypeRow({"type": "integer"}, "BigInteger", "Int64", "long", "int64"),
    Kind.FLOAT: TypeRow({"type": "number"}, "Double", "Float64", "double", "float64"),
    Kind.DECIMAL: TypeRow({"type": "string", "format": "decimal"}, "Numeric", "Decimal", "decimal", "decimal128"),
    Kind.STRING: TypeRow({"type": "string"}, "String", "String", "string", "string"),
    Kind.BYTES: TypeRow(
        {"type": "string", "contentEncoding": "base64", "pattern": _BASE64}, "LargeBinary", "Binary", "binary", "binary"
    ),
    Kind.DATE: TypeRow({"type": "string", "format": "date"}, "Date", "Date", "date", "date32"),
    Kind.TIME: TypeRow({"type": "string", "pattern": _TIME_OF_DAY}, "Time", "String", "string", "string"),
    Kind.DATETIME: TypeRow({"type": "string", "format": "date-time"}, "DateTime", "Datetime", "timestamp", "timestamp"),
    # Lakes have no durations: they hold microseconds.
    Kind.DURATION: TypeRow({"type": "string", "pattern": _DURATION}, "Interval", "Int64", "long", "int64"),
    Kind.UUID: TypeRow({"type": "string", "format": "uuid"}, "Uuid", "String", "string", "string"),
    Kind.ENUM: TypeRow({"type": "string"}, "String", "String", "string", "string"),
    Kind.JSON: TypeRow({}, "JSON", "String", "string", "string"),
    Kind.ARRAY: TypeRow({"type": "array"}, "JSON", "List", "array", "list_"),
    Kind.STRUCT: TypeRow({"type": "object"}, "JSON", "Struct", "struct", "struct"),
}

_SCALARS: Mapping[type, Kind] = {
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    str: Kind.STRING,
    bytes: Kind.BYTES,
    decimal.Decimal: Kind.DECIMAL,
    dt.datetime: Kind.DATETIME,
    dt.date: Kind.DATE,
    dt.time: Kind.TIME,
    dt.timedelta: Kind.DURATION,
    uuid.UUID: Kind.UUID,
}

INT_RANGE = (-(2**63), 2**63 - 1)
"""Smallest and largest integer that every adapter stores: signed, 64 bits."""
UNORDERED = frozenset({Kind.JSON, Kind.ARRAY, Kind.STRUCT})
"""Kinds whose values cannot be compared and sorted."""


def logical_type(annotation: Any, *, max_length: int | None = None, precision: int = 38, scale: int = 9) -> LogicalType:
    """Read an annotation into a logical type.

    Args:
        annotation: a resolved annotation (no strings).
        max_length: characters of a string, bytes of a byte string.
        precision: decimal digits in all.
        scale: decimal digits after the point.

    Raises:
        TypeError: the annotation has no logical type; the text names it.
    """
    core, nullable, patch = _unwrapped(annotation)
    kind, item, values = _kind_of(core)
    return LogicalType(
        kind=kind,
        python=core,
        nullable=nullable,
        patch=patch,
        max_length=max_length,
        precision=precision,
        scale=scale,
        item=item,
        values=values,
    )


def json_schema(logical: LogicalType) -> dict[str, object]:
    """The JSON schema (draft 2020-12, as in OpenAPI 3.1) of a logical type; structs are left to the caller."""
    schema = dict(TYPE_TABLE[logical.kind].json)
    if logical.kind is Kind.STRING and logical.max_length is not None:
        schema["maxLength"] = logical.max_length
    if logical.kind is Kind.BYTES and logical.max_length is not None:
        schema["maxLength"] = -(-logical.max_length // 3) * 4  # characters of base64
    if logical.kind is Kind.JSON and logical.python not in (Any, object):
        schema["type"] = "object"
    if logical.kind is Kind.INT:
        schema |= {"minimum": INT_RANGE[0], "maximum": INT_RANGE[1]}
    if logical.kind is Kind.ENUM:
        schema["enum"] = list(logical.values)
        if not all(isinstance(value, str) for value in logical.values):
            schema.pop("type", None)
    if logical.item is not None:
        schema["items"] = json_schema(logical.item)
    return _nullable_schema(schema) if logical.nullable else schema


def _nullable_schema(schema: dict[str, object]) -> dict[str, object]:
    if "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema


def _unwrapped(annotation: Any) -> tuple[Any, bool, bool]:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False, False
    arguments = typing.get_args(annotation)
    rest = [part for part in arguments if part is not type(None) and part is not Absent]
    if len(rest) != 1:
        raise TypeError(f"{annotation} is a union of several types; a field has one type, or one type and None")
    inner, nullable, patch = _unwrapped(rest[0])
    return inner, nullable or type(None) in arguments, patch or Absent in arguments


def _kind_of(core: Any) -> tuple[Kind, LogicalType | None, tuple[object, ...]]:
    origin = typing.get_origin(core)
    if origin is Literal:
        return Kind.ENUM, None, typing.get_args(core)
    if origin in (list, tuple, frozenset, set):
        arguments = [part for part in typing.get_args(core) if part is not Ellipsis]
        if len(arguments) != 1:
            raise TypeError(f"{core} needs exactly one item type")
        return Kind.ARRAY, logical_type(arguments[0]), ()
    if origin in (dict, Mapping) or core in (dict, Mapping, Any, object):
        return Kind.JSON, None, ()
    return _kind_of_class(core)


def _kind_of_class(core: Any) -> tuple[Kind, LogicalType | None, tuple[object, ...]]:
    if not isinstance(core, type):
        raise TypeError(f"{core!r} has no logical type")
    if issubclass(core, enum.Enum):
        return Kind.ENUM, None, tuple(member.value for member in core)
    for base in core.__mro__:
        if base in _SCALARS:
            return _SCALARS[base], None, ()
    if attrs.has(core):
        return Kind.STRUCT, None, ()
    raise TypeError(f"{core.__qualname__} has no logical type; use an attrs class or a scalar")
