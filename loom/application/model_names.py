"""What models are called: names that every database keeps, and tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from loom.application.compile import Issues, place_of
from loom.domain.model import ModelSchema

LONGEST_NAME: Final = 63
"""Bytes of a name that PostgreSQL keeps."""
_TAKEN: Final = frozenset(
    {
        # Columns that every table of PostgreSQL has.
        *("cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"),
        # Words that SQLAlchemy does not know to be reserved.
        *("collation", "concurrently", "lateral", "nothing", "returning", "system_user", "tablesample"),
    }
)


def check_tables(schemas: Iterable[ModelSchema], issues: Issues) -> Mapping[str, ModelSchema]:
    """The models by table; records tables that two of them share. SQLite does not tell names apart by case."""
    tables: dict[str, ModelSchema] = {}
    folded: dict[str, ModelSchema] = {}
    for schema in schemas:
        tables.setdefault(schema.table, schema)
        other = folded.setdefault(schema.table.casefold(), schema)
        if other is schema:
            continue
        remedy = f"give one of them another table; see {place_of(other.model)}"
        if other.table == schema.table:
            message = f"{schema.name} and {other.name} are both stored in table {schema.table!r}"
            issues.add("LOOM-CORE-005", schema.model, message, remedy)
        else:
            names = f"{schema.table!r} and {other.table!r}"
            message = f"the tables of {schema.name} and {other.name}, {names}, differ by case alone"
            issues.add("LOOM-CORE-005", schema.model, message, remedy)
    return tables


def check_names(schema: ModelSchema, issues: Issues) -> None:
    """Record what is wrong with the names of a model's table and columns."""
    code = "LOOM-CORE-011"
    if schema.table.casefold().startswith("sqlite_"):
        message = f"{schema.name}: the table {schema.table!r} has a name that SQLite keeps for itself"
        issues.add(code, schema.model, message, "call it something else")
    for what, name in (("table", schema.table), *(("field", name) for name in schema.names)):
        length = len(name.encode())
        if length > LONGEST_NAME:
            message = (
                f"{schema.name}: the {what} {name!r} has a name of {length} bytes, and PostgreSQL keeps {LONGEST_NAME}"
            )
            issues.add(code, schema.model, message, "give it a shorter name")
        if name in _TAKEN:
            message = f"{schema.name}: the {what} {name!r} has a name that a database keeps for itself"
            issues.add(code, schema.model, message, "call it something else")
        if "\x00" in name:
            message = f"{schema.name}: the {what} {name!r} holds the character NUL, which databases do not keep"
            issues.add(code, schema.model, message, "call it something else")
    for first, second in _alike(schema.names):
        message = f"{schema.name}: the fields {first!r} and {second!r} differ by case alone"
        issues.add(code, schema.model, message, "SQLite does not tell them apart; rename one")


def _alike(names: Sequence[str]) -> Iterable[tuple[str, str]]:
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            yield first, name
