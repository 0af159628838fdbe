"""Frames brought into the columns and types of a table, or refused with every fault named; and checks of every row,
made by the query that writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from loom.adapters.spark.errors import BROKEN
from loom.adapters.spark.expressions import constant, named
from loom.adapters.spark.types import type_of
from loom.application.compile import nearest
from loom.application.etl.constants import plain
from loom.application.etl.contract import Contract
from loom.domain.errors import BrokenContract
from loom.domain.frozen import frozen

_INTEGERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_LONGEST = 38


@frozen(kw_only=True)
class Wanted:
    """One column that a frame is to have. ``filled`` ones may be absent, and ``may_lack`` ones stay absent then."""

    name: str
    type: T.DataType
    nullable: bool = True
    filled: bool = False
    default: object = None
    may_lack: bool = False


def wanted_by(contract: Contract) -> list[Wanted]:
    """The columns of a contract."""
    return [
        Wanted(
            name=column.name,
            type=type_of(column.type),
            nullable=column.type.nullable,
            filled=column.filled,
            default=plain(column.default),
            may_lack=column.may_lack,
        )
        for column in contract.columns
    ]


def wanted_like(schema: T.StructType) -> list[Wanted]:
    """The columns of a stored table: each must be there."""
    return [Wanted(name=field.name, type=field.dataType) for field in schema.fields]


def conform(frame: DataFrame, wanted: Sequence[Wanted], subject: str, *, extra: bool = False) -> DataFrame:
    """The frame with exactly the wanted columns, in their order and types.

    Numbers widen, and text of any length becomes text; no value is changed to make it fit.

    Args:
        frame: any frame.
        wanted: the columns.
        subject: what they are the columns of, for messages.
        extra: whether further columns are allowed; they are left out.

    Raises:
        BrokenContract: columns are missing, unknown, or of another type: all of them.
    """
    found = {field.name: field.dataType for field in frame.schema.fields}
    faults = [] if extra else list(_unknown(found, wanted))
    columns: list[Column] = []
    for each in wanted:
        if each.name in found:
            if not _fits(found[each.name], each.type):
                faults.append(f"column {each.name!r} is {_said(found[each.name])}, not {_said(each.type)}")
            columns.append(named(each.name).cast(each.type).alias(each.name))
        elif each.filled:
            columns.append(F.lit(each.default).cast(each.type).alias(each.name))
        elif not each.may_lack:
            faults.append(f"column {each.name!r} is missing")
    if faults:
        remedy = f"it has: {', '.join(each.name for each in wanted)}; the rows have: {', '.join(found)}"
        raise BrokenContract(f"the rows do not fit {subject}: {'; '.join(faults)}", remedy=remedy)
    return frame.select(columns)


def storable(frame: DataFrame, subject: str) -> DataFrame:
    """The frame in the types that a lake holds: the same ones on every engine, whatever width a function gave.

    Raises:
        BrokenContract: a column has no type that a lake holds.
    """
    columns, faults = [], []
    for field in frame.schema.fields:
        stored = _stored(field.dataType)
        if stored is None:
            faults.append(_no_store(field.name, field.dataType))
        else:
            columns.append(_as(named(field.name), field.dataType, stored).alias(field.name))
    if faults:
        raise BrokenContract(f"the rows cannot be stored in {subject}: {'; '.join(faults)}")
    return frame.select(columns)


def not_null(frame: DataFrame, names: Sequence[str], subject: str) -> DataFrame:
    """The frame, which fails while it is read where one of the columns holds a null."""
    for name in [each for each in names if each in frame.columns]:
        fault = F.lit(f"{BROKEN}column {name!r} of {subject} allows no nulls, but the rows hold some")
        frame = _checked(frame, name, named(name).isNull(), fault)
    return frame


def equal(frame: DataFrame, values: Mapping[str, object], subject: str) -> DataFrame:
    """The frame, which fails while it is read where a column does not hold its value everywhere."""
    for name, value in values.items():
        if name in frame.columns:
            shown = F.coalesce(named(name).cast("string"), F.lit("null"))
            fault = F.concat(F.lit(f"{BROKEN}a row for {subject} has {name} = "), shown, F.lit(f", not {value}"))
            frame = _checked(frame, name, ~named(name).eqNullSafe(constant(value)), fault)
    return frame


def not_empty_text(frame: DataFrame, names: Sequence[str], subject: str) -> DataFrame:
    """The frame, which fails where a partition column holds the empty text: folders cannot tell it from null."""
    for name in names:
        if isinstance(frame.schema[name].dataType, T.StringType):
            fault = F.lit(f"{BROKEN}partition column {name!r} of {subject} holds an empty text; use null or a word")
            frame = _checked(frame, name, named(name) == "", fault)
    return frame


def _checked(frame: DataFrame, name: str, broken: Column, fault: Column) -> DataFrame:
    kind = frame.schema[name].dataType
    return frame.withColumn(name, F.when(broken, F.raise_error(fault).cast(kind)).otherwise(named(name)))


def _unknown(found: Iterable[str], wanted: Sequence[Wanted]) -> Iterable[str]:
    names = [each.name for each in wanted]
    for name in found:
        if name not in names:
            near = nearest(name, names)
            yield f"column {name!r} is not one of its columns" + (f", did you mean {near!r}?" if near else "")


def _fits(found: T.DataType, wanted: T.DataType) -> bool:
    if found == wanted or isinstance(found, T.NullType):
        return True
    if isinstance(wanted, T.DecimalType):
        return isinstance(found, _INTEGERS) or (isinstance(found, T.DecimalType) and found.scale <= wanted.scale)
    if isinstance(wanted, T.ArrayType):
        return isinstance(found, T.ArrayType) and _fits(found.elementType, wanted.elementType)
    return _stored(found) == wanted or (isinstance(wanted, T.DoubleType) and isinstance(found, _INTEGERS))


def _stored(found: T.DataType) -> T.DataType | None:
    """The type in which a lake holds a column, or ``None`` where it holds none such."""
    if isinstance(found, _INTEGERS):
        return T.LongType()
    if isinstance(found, T.FloatType | T.DoubleType):
        return T.DoubleType()
    if isinstance(found, T.DecimalType):
        return T.DecimalType(_LONGEST, found.scale)
    if isinstance(found, T.StringType | T.VarcharType | T.CharType):
        return T.StringType()
    if isinstance(found, T.DayTimeIntervalType):
        return T.LongType()
    if isinstance(found, T.ArrayType):
        inner = _stored(found.elementType)
        return None if inner is None else T.ArrayType(inner)
    if isinstance(found, T.StructType):
        fields = [(field.name, _stored(field.dataType)) for field in found.fields]
        stored = [T.StructField(name, each) for name, each in fields if each is not None]
        return T.StructType(stored) if len(stored) == len(fields) else None
    return found if isinstance(found, T.BooleanType | T.BinaryType | T.DateType | T.TimestampType) else None


def _as(column: Column, found: T.DataType, wanted: T.DataType) -> Column:
    if isinstance(found, T.DayTimeIntervalType):
        return F.unix_micros(F.timestamp_seconds(F.lit(0)) + column)
    return column.cast(wanted)


def _said(found: T.DataType) -> str:
    return found.simpleString()


def _no_store(name: str, found: T.DataType) -> str:
    if isinstance(found, T.TimestampNTZType):
        return f"column {name!r} is a datetime without a time zone; say which with to_utc_timestamp(...)"
    if isinstance(found, T.NullType):
        return f"column {name!r} holds nulls alone and no type; cast it"
    return f"column {name!r} is {_said(found)}, which a lake does not hold"
