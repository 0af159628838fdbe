"""Frames brought into the columns and types of a table, or refused with every fault named. All lazy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from loom.adapters.polars.types import UTC_MICROSECONDS, dtype_of
from loom.application.compile import nearest
from loom.application.etl.constants import plain
from loom.application.etl.contract import Contract
from loom.domain.errors import BrokenContract
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class Wanted:
    """One column that a frame is to have. ``filled`` ones may be absent, and ``may_lack`` ones stay absent then."""

    name: str
    dtype: pl.DataType
    nullable: bool = True
    filled: bool = False
    default: object = None
    may_lack: bool = False


def wanted_by(contract: Contract) -> list[Wanted]:
    """The columns of a contract."""
    return [
        Wanted(
            name=column.name,
            dtype=dtype_of(column.type),
            nullable=column.type.nullable,
            filled=column.filled,
            default=plain(column.default),
            may_lack=column.may_lack,
        )
        for column in contract.columns
    ]


def wanted_like(schema: Mapping[str, pl.DataType]) -> list[Wanted]:
    """The columns of a stored table: each must be there."""
    return [Wanted(name=name, dtype=dtype) for name, dtype in schema.items()]


def conform(frame: pl.LazyFrame, wanted: Sequence[Wanted], subject: str, *, extra: bool = False) -> pl.LazyFrame:
    """The frame with exactly the wanted columns, in their order and types.

    Numbers widen, and text of any encoding becomes text; no value is changed to make it fit.

    Args:
        frame: any frame.
        wanted: the columns.
        subject: what they are the columns of, for messages.
        extra: whether further columns are allowed; they are left out.

    Raises:
        BrokenContract: columns are missing, unknown, or of another type: all of them.
    """
    found = frame.collect_schema()
    faults = [] if extra else list(_unknown(found, wanted))
    columns: list[pl.Expr] = []
    for each in wanted:
        if each.name in found:
            if not _fits(found[each.name], each.dtype):
                faults.append(f"column {each.name!r} is {found[each.name]}, not {each.dtype}")
            columns.append(_as(pl.col(each.name), found[each.name], each.dtype))
        elif each.filled:
            columns.append(pl.lit(each.default, dtype=each.dtype).alias(each.name))
        elif not each.may_lack:
            faults.append(f"column {each.name!r} is missing")
    if faults:
        raise BrokenContract(f"the rows do not fit {subject}: {'; '.join(faults)}", remedy=_remedy(found, wanted))
    # Unchanged frames stay as they are: a projection that does nothing could still stop what is pushed down.
    same = list(found.items()) == [(each.name, each.dtype) for each in wanted]
    return frame if same else frame.select(columns)


def storable(frame: pl.LazyFrame, subject: str) -> pl.LazyFrame:
    """The frame in the types that a lake holds: the same ones on every engine, whatever width a function gave.

    Raises:
        BrokenContract: a column has no type that a lake holds.
    """
    found = frame.collect_schema()
    wanted, faults = [], []
    for name, dtype in found.items():
        stored = _stored(dtype)
        if stored is None:
            faults.append(_no_store(name, dtype))
        elif stored != dtype:
            wanted.append(_as(pl.col(name), dtype, stored))
    if faults:
        raise BrokenContract(f"the rows cannot be stored in {subject}: {'; '.join(faults)}")
    return frame.with_columns(wanted) if wanted else frame


def _unknown(found: Iterable[str], wanted: Sequence[Wanted]) -> Iterable[str]:
    names = [each.name for each in wanted]
    for name in found:
        if name not in names:
            near = nearest(name, names)
            yield f"column {name!r} is not one of its columns" + (f", did you mean {near!r}?" if near else "")


def _remedy(found: pl.Schema, wanted: Sequence[Wanted]) -> str:
    return f"it has: {', '.join(each.name for each in wanted)}; the rows have: {', '.join(found)}"


def _fits(found: pl.DataType, wanted: pl.DataType) -> bool:
    if found == wanted or found == pl.Null:
        return True
    if isinstance(wanted, pl.Decimal):
        return found.is_integer() or (isinstance(found, pl.Decimal) and found.scale <= wanted.scale)
    if isinstance(wanted, pl.List):
        return isinstance(found, pl.List) and _fits(_inner(found), _inner(wanted))
    return _stored(found) == wanted or (wanted == pl.Float64 and found.is_integer())


def _stored(dtype: pl.DataType) -> pl.DataType | None:
    """The type in which a lake holds a column, or ``None`` where it holds none such."""
    if dtype.is_integer():
        return pl.Int64()
    if dtype.is_float():
        return pl.Float64()
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Time):
        return pl.String()
    if isinstance(dtype, pl.Duration):
        return pl.Int64()
    if isinstance(dtype, pl.Datetime):
        return UTC_MICROSECONDS if dtype.time_zone else None
    if isinstance(dtype, pl.List | pl.Array):
        inner = _stored(_inner(dtype))
        return None if inner is None else pl.List(inner)
    if isinstance(dtype, pl.Decimal):
        # A sum has more digits than what was added, and engines do not agree on how many more.
        return pl.Decimal(38, dtype.scale)
    if isinstance(dtype, pl.Struct):
        fields = {field.name: _stored(_instance(field.dtype)) for field in dtype.fields}
        return None if None in fields.values() else pl.Struct({name: each for name, each in fields.items() if each})
    return dtype if isinstance(dtype, pl.Boolean | pl.String | pl.Binary | pl.Date) else None


def _as(column: pl.Expr, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    if found == wanted:
        return column
    if isinstance(found, pl.Duration):
        return column.dt.total_microseconds()
    if isinstance(found, pl.Time):
        return column.dt.to_string("%H:%M:%S%.f")
    if isinstance(found, pl.Datetime) and found.time_zone:
        return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return column.cast(wanted, strict=True)


def _no_store(name: str, dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return f"column {name!r} is a datetime without a time zone; say which with dt.replace_time_zone(...)"
    if dtype == pl.Null:
        return f"column {name!r} holds nulls alone and no type; cast it"
    return f"column {name!r} is {dtype}, which a lake does not hold"


def _inner(dtype: pl.List | pl.Array) -> pl.DataType:
    return _instance(dtype.inner)


def _instance(dtype: Any) -> pl.DataType:
    found: pl.DataType = dtype() if isinstance(dtype, type) else dtype
    return found
