"""How each kind of value is kept in each database: the column's type, and the way to the driver and back.

PostgreSQL has a type for every kind, named in ``TYPE_TABLE``; text is ``COLLATE "C"`` there, so that it is ordered by
code point as in SQLite and Python. SQLite has five storage classes, and what does not fit one is kept so that
comparison, order and arithmetic stay right:

- decimals as integers, scaled by the field's ``scale``: exact, summed and compared as numbers, up to 18 digits in all
  (a longer one is refused). The product of two decimals beyond 64 bits becomes a float, as all of SQLite's integers do.
- datetimes as ISO text in UTC with microseconds, dates and times as ISO text: fixed width, so text order is time order.
- durations as microseconds; UUIDs as text; JSON, arrays and structs as JSON text.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from loom.application.fit import Fit
from loom.application.predicates import stored_kind
from loom.application.rows import Conversion
from loom.domain.errors import EngineFailure
from loom.domain.model import FieldSchema
from loom.domain.schema import INT_RANGE, TYPE_TABLE, Kind, LogicalType

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
_JSON_KINDS = (Kind.JSON, Kind.ARRAY, Kind.STRUCT)
_MICROSECOND = dt.timedelta(microseconds=1)


@attrs.frozen(eq=False, repr=False)
class Storage:
    """One field in one database.

    Attributes:
        kind: the kind of the plain value, which decides how it is compared.
        column: the type that the column is created with.
        bind: the type of parameters; without length or precision, which would cut a constant before it is compared.
        conversion: between the plain value and the driver's.
        scale: decimal places by which a decimal is scaled; 0 where the database has decimals.
    """

    kind: Kind
    column: TypeEngine[Any]
    bind: TypeEngine[Any]
    conversion: Conversion = attrs.field(factory=Conversion)
    scale: int = 0


def storage_of(field: FieldSchema, dialect: str) -> Storage:
    """How a field is kept in the database of that name."""
    make = _sqlite if dialect == SQLITE else _postgresql
    return make(stored_kind(field), field.type)


def constant_fit(kind: Kind, dialect: str) -> Fit | None:
    """What makes a plain constant of that kind what the driver takes, ``None`` for nothing; decimals on SQLite are
    scaled by whoever compares them."""
    conversion = _SQLITE_CONVERSIONS.get(kind) if dialect == SQLITE else None
    return None if conversion is None else conversion.store


def bind_type(kind: Kind, dialect: str) -> TypeEngine[Any]:
    """The type of a parameter of that kind."""
    return _SQLITE_TYPES[kind]() if dialect == SQLITE else _postgresql_bind(kind)


def _postgresql(kind: Kind, logical: LogicalType) -> Storage:
    bind = _postgresql_bind(kind)
    if kind is Kind.STRING:
        return Storage(kind, sa.String(logical.max_length, collation="C"), bind)
    if kind is Kind.DECIMAL:
        return Storage(kind, sa.Numeric(logical.precision, logical.scale), bind)
    if kind is Kind.UUID:
        # asyncpg has a UUID class of its own.
        return Storage(kind, bind, bind, Conversion(load=lambda value: uuid.UUID(int=value.int)))
    if kind is Kind.DATETIME:
        return Storage(kind, bind, bind, Conversion(load=_in_utc))
    return Storage(kind, bind, bind)


def _postgresql_bind(kind: Kind) -> TypeEngine[Any]:
    if kind is Kind.DATETIME:
        return sa.DateTime(timezone=True)
    if kind in _JSON_KINDS:
        return sa.JSON(none_as_null=True)
    made: TypeEngine[Any] = getattr(sa, TYPE_TABLE[kind].sql)()
    return made


def _sqlite(kind: Kind, logical: LogicalType) -> Storage:
    bind = _SQLITE_TYPES[kind]()
    if kind is Kind.DECIMAL:
        return Storage(kind, bind, bind, _scaled(logical.scale), logical.scale)
    return Storage(kind, bind, bind, _SQLITE_CONVERSIONS.get(kind, Conversion()))


def _scaled(scale: int) -> Conversion:
    low, high = INT_RANGE

    def store(value: Decimal) -> int:
        scaled = int(value.scaleb(scale))
        if low <= scaled <= high:
            return scaled
        raise ValueError(f"is too large for SQLite, which keeps 18 digits, {scale} of them after the point")

    def load(stored: int) -> Decimal:
        if type(stored) is not int:
            raise _unexpected(stored, "a scaled integer")
        return Decimal(stored).scaleb(-scale)

    return Conversion(store, load)


def _unexpected(stored: object, wanted: str) -> EngineFailure:
    """The error of a stored value in another form than ours: somebody else wrote it, and it would be read wrongly."""
    message = f"a row holds {stored!r} where {wanted} is kept"
    return EngineFailure(message, remedy="find out which program wrote it, and migrate the rows")


def _flag(stored: Any) -> bool:
    if stored not in (0, 1):
        raise _unexpected(stored, "0 or 1")
    return bool(stored)


def _moment(stored: str) -> dt.datetime:
    # Text is compared as it stands: any other form of the same moment would be sorted and filtered wrongly.
    if stored[26:] != "+00:00" or stored[10] != "T":
        raise _unexpected(stored, "a time in UTC such as '2026-01-31T12:00:00.000000+00:00'")
    return dt.datetime.fromisoformat(stored)


def _uuid(stored: str) -> uuid.UUID:
    if len(stored) != 36:
        raise _unexpected(stored, "a UUID with dashes")
    return uuid.UUID(stored)


def _in_utc(value: dt.datetime) -> dt.datetime:
    # asyncpg takes the first and the last instant of Python for PostgreSQL's infinities, and gives them without a zone.
    return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)


def _iso_time(value: dt.datetime | dt.time) -> str:
    return value.isoformat(timespec="microseconds")


_SQLITE_TYPES: Mapping[Kind, Callable[[], TypeEngine[Any]]] = {
    Kind.BOOL: sa.Boolean,
    Kind.INT: sa.Integer,
    Kind.FLOAT: sa.Double,
    Kind.DECIMAL: sa.Integer,
    Kind.STRING: sa.Text,
    Kind.BYTES: sa.LargeBinary,
    Kind.DATE: sa.Text,
    Kind.TIME: sa.Text,
    Kind.DATETIME: sa.Text,
    Kind.DURATION: sa.Integer,
    Kind.UUID: sa.Text,
    Kind.JSON: sa.Text,
    Kind.ARRAY: sa.Text,
    Kind.STRUCT: sa.Text,
}

_SQLITE_CONVERSIONS: Mapping[Kind, Conversion] = {
    Kind.BOOL: Conversion(load=_flag),
    # RETURNING gives the whole numbers of a REAL column as integers; SELECT does not.
    Kind.FLOAT: Conversion(load=float),
    Kind.DATE: Conversion(dt.date.isoformat, dt.date.fromisoformat),
    Kind.TIME: Conversion(_iso_time, dt.time.fromisoformat),
    Kind.DATETIME: Conversion(_iso_time, _moment),
    Kind.DURATION: Conversion(lambda value: value // _MICROSECOND, lambda stored: dt.timedelta(microseconds=stored)),
    Kind.UUID: Conversion(str, _uuid),
}
