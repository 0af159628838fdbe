"""Which types of a database's columns hold the values of a model as this adapter writes and reads them.

A table may have been made by somebody else. What its columns hold in another form would be read as another value, or
written over: 12.50 as 1250 where decimals are not scaled integers. So each mapped column is looked at before anything
runs, and what is not known to be right is an issue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from loom.adapters.sqlalchemy.storage import SQLITE
from loom.domain.frozen import frozen
from loom.domain.model import FieldSchema
from loom.domain.schema import Kind

_WHOLE: Final = ("integer", "bigint", "int", "smallint", "int8", "int4", "int2", "tinyint", "mediumint")
_TEXTS: Final = ("text", "varchar", "character varying", "char", "character", "nvarchar", "clob")
_JSON: Final = ("text", "json")
_SQLITE: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.BOOL: ("boolean", "bool", "integer"),
    Kind.INT: _WHOLE,
    Kind.FLOAT: ("double", "real", "float", "double precision"),
    Kind.DECIMAL: ("integer",),
    Kind.STRING: _TEXTS,
    Kind.BYTES: ("blob",),
    Kind.DATE: ("text",),
    Kind.TIME: ("text",),
    Kind.DATETIME: ("text",),
    Kind.DURATION: ("integer",),
    Kind.UUID: ("text",),
    Kind.JSON: ("text",),
    Kind.ARRAY: _JSON,
    Kind.STRUCT: _JSON,
}
_POSTGRESQL: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.BOOL: ("boolean",),
    Kind.INT: ("bigint", "integer", "smallint"),
    Kind.FLOAT: ("double precision", "real"),
    Kind.DECIMAL: ("numeric",),
    Kind.STRING: ("text", "character varying", "character"),
    Kind.BYTES: ("bytea",),
    Kind.DATE: ("date",),
    Kind.TIME: ("time without time zone",),
    Kind.DATETIME: ("timestamp with time zone",),
    Kind.DURATION: ("interval",),
    Kind.UUID: ("uuid",),
    Kind.JSON: ("json", "jsonb"),
    Kind.ARRAY: ("json", "jsonb"),
    Kind.STRUCT: ("json", "jsonb"),
}
_PARTS: Final = re.compile(r"(?P<name>[^(]*?)\s*(?:\((?P<size>[\d\s,-]+)\)(?P<rest>.*))?", re.DOTALL)


@frozen
class FoundColumn:
    """A column of a table as the database describes it."""

    type: str
    never_null: bool


def column_fault(found: FoundColumn, field: FieldSchema, kind: Kind, dialect: str) -> str:
    """Why a column does not hold the values of a field; empty where it does."""
    name, size = _parts(found.type)
    wanted = (_SQLITE if dialect == SQLITE else _POSTGRESQL)[kind]
    if name not in wanted:
        return f"is {found.type or 'of no type'}, but {field.type.kind.value} is kept as {wanted[0]}"
    if dialect != SQLITE and kind is Kind.DECIMAL and size != (field.type.precision, field.type.scale):
        return f"is {found.type}, but the model says precision {field.type.precision} and scale {field.type.scale}"
    if found.never_null and field.type.nullable and not field.options.key:
        return "is never null, but may be null in the model"
    return ""


def _parts(text: str) -> tuple[str, tuple[int, ...]]:
    """The name of a type, and the numbers that it has in parentheses."""
    found = _PARTS.fullmatch(text.strip().lower())
    if found is None:
        return text, ()
    name = " ".join(f"{found['name']}{found['rest'] or ''}".split())
    return name, tuple(int(part) for part in (found["size"] or "").split(",") if part.strip())
