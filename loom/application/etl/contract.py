"""The columns that a model promises for its table: names, types, nulls and defaults."""

from __future__ import annotations

from collections.abc import Mapping

from loom.domain.frozen import frozen
from loom.domain.model import FieldSchema, schema_of
from loom.domain.schema import Kind, LogicalType


@frozen(kw_only=True)
class Column:
    """One promised column.

    Attributes:
        name: its name.
        type: its logical type.
        filled: a frame may lack the column; it then holds ``default`` everywhere.
        default: what an absent column is filled with.
        may_lack: a frame may lack the column, and then the table has none (an autoincrement key: the number is the
            database's affair).
    """

    name: str
    type: LogicalType
    filled: bool = False
    default: object = None
    may_lack: bool = False


@frozen(kw_only=True)
class Contract:
    """The columns of a model, in declaration order."""

    model: str
    columns: tuple[Column, ...]

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Name and kind of each column."""
        return {column.name: column.type.kind for column in self.columns}


def contract_of(model: type) -> Contract:
    """The contract of an entity or of any attrs class.

    Raises:
        TypeError: not an attrs class, or a field without a logical type.
    """
    schema = schema_of(model)
    return Contract(model=schema.name, columns=tuple(_column(field) for field in schema.fields))


def _column(field: FieldSchema) -> Column:
    # A factory's default is unknown here; null stands for it where null is allowed.
    filled = not field.required and (field.default is not None or field.type.nullable)
    return Column(
        name=field.name,
        type=field.type,
        filled=filled,
        default=field.default,
        may_lack=field.options.autoincrement,
    )
