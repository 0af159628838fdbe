"""Polars types of logical types, and back."""

from __future__ import annotations

import typing
from typing import Any

import attrs
import polars as pl

from loom.domain.schema import TYPE_TABLE, Kind, LogicalType, logical_type

UTC_MICROSECONDS = pl.Datetime("us", "UTC")


def dtype_of(logical: LogicalType) -> pl.DataType:
    """The type in which the lake holds a logical type, by the type table."""
    if logical.kind is Kind.DECIMAL:
        return pl.Decimal(logical.precision, logical.scale)
    if logical.kind is Kind.DATETIME:
        return UTC_MICROSECONDS
    if logical.kind is Kind.ARRAY and logical.item is not None:
        return pl.List(dtype_of(logical.item))
    if logical.kind is Kind.STRUCT:
        hints = typing.get_type_hints(logical.python, include_extras=True)
        names = [attribute.name for attribute in attrs.fields(logical.python)]
        return pl.Struct({name: dtype_of(logical_type(hints[name])) for name in names})
    if logical.kind is Kind.ENUM and all(isinstance(value, int) for value in logical.values):
        return pl.Int64()
    found: pl.DataType = getattr(pl, TYPE_TABLE[logical.kind].polars)()
    return found


def kind_of(dtype: pl.DataType) -> Kind | None:
    """The kind of values that a column holds, or ``None`` where no kind is exact."""
    if dtype.is_integer():
        return Kind.INT
    if dtype.is_float():
        return Kind.FLOAT
    return _KINDS.get(dtype.base_type())


_KINDS: dict[Any, Kind] = {
    pl.Boolean: Kind.BOOL,
    pl.Decimal: Kind.DECIMAL,
    pl.String: Kind.STRING,
    pl.Categorical: Kind.STRING,
    pl.Enum: Kind.STRING,
    pl.Binary: Kind.BYTES,
    pl.Date: Kind.DATE,
    pl.Time: Kind.TIME,
    pl.Datetime: Kind.DATETIME,
    pl.Duration: Kind.DURATION,
    pl.List: Kind.ARRAY,
    pl.Array: Kind.ARRAY,
    pl.Struct: Kind.STRUCT,
}
