"""Spark types of logical types, and back."""

from __future__ import annotations

import typing
from collections.abc import Mapping

import attrs
from pyspark.sql import types as T  # noqa: N812 - the name by which Spark's users know it

from loom.domain.schema import TYPE_TABLE, Kind, LogicalType, logical_type


def type_of(logical: LogicalType) -> T.DataType:
    """The type in which the lake holds a logical type, by the type table."""
    if logical.kind is Kind.DECIMAL:
        return T.DecimalType(logical.precision, logical.scale)
    if logical.kind is Kind.ARRAY and logical.item is not None:
        return T.ArrayType(type_of(logical.item))
    if logical.kind is Kind.STRUCT:
        hints = typing.get_type_hints(logical.python, include_extras=True)
        names = [attribute.name for attribute in attrs.fields(logical.python)]
        return T.StructType([T.StructField(name, type_of(logical_type(hints[name]))) for name in names])
    if logical.kind is Kind.ENUM and all(isinstance(value, int) for value in logical.values):
        return T.LongType()
    return _NAMED[TYPE_TABLE[logical.kind].spark]


def kind_of(found: T.DataType) -> Kind | None:
    """The kind of values that a column holds, or ``None`` where no kind is exact."""
    return _KINDS.get(type(found))


_NAMED: Mapping[str, T.DataType] = {
    "boolean": T.BooleanType(),
    "long": T.LongType(),
    "double": T.DoubleType(),
    "string": T.StringType(),
    "binary": T.BinaryType(),
    "date": T.DateType(),
    "timestamp": T.TimestampType(),
}

_KINDS: Mapping[type[T.DataType], Kind] = {
    T.BooleanType: Kind.BOOL,
    T.ByteType: Kind.INT,
    T.ShortType: Kind.INT,
    T.IntegerType: Kind.INT,
    T.LongType: Kind.INT,
    T.FloatType: Kind.FLOAT,
    T.DoubleType: Kind.FLOAT,
    T.DecimalType: Kind.DECIMAL,
    T.StringType: Kind.STRING,
    T.VarcharType: Kind.STRING,
    T.CharType: Kind.STRING,
    T.BinaryType: Kind.BYTES,
    T.DateType: Kind.DATE,
    T.TimestampType: Kind.DATETIME,
    T.DayTimeIntervalType: Kind.DURATION,
    T.ArrayType: Kind.ARRAY,
    T.StructType: Kind.STRUCT,
}
