"""Names of constraints and indexes: the same in every process, short enough, and no name for two things.

A name is made of a table and columns. Where two of them would make the same one (``user`` with ``group_name``, and
``user_group`` with ``name``), both end with a digest of what they are made of.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import attrs

from loom.application.model_constraints import declared_indexes
from loom.application.model_names import LONGEST_NAME
from loom.domain.model import ModelSchema

_SCALE = re.compile(r"scale_(\d+)_")


@attrs.frozen(eq=False, repr=False)
class Names:
    """Names in one database. ``shared`` are those that several tables and columns would make."""

    shared: frozenset[str] = frozenset()

    def of(self, kind: str, *parts: str, predicate: str = "") -> str:
        """The name of what is of that kind, and of these tables and columns. The digest of a predicate is its end."""
        name = "_".join((kind, *parts))
        if name in self.shared:
            predicate = digest(chr(0).join((*parts, predicate)))
        whole = f"{name}_{predicate}" if predicate else name
        if len(whole.encode()) <= LONGEST_NAME:
            return whole
        return f"{whole.encode()[: LONGEST_NAME - 9].decode(errors='ignore')}_{digest(whole)}"


def names_of(schemas: Iterable[ModelSchema]) -> Names:
    """The names of all tables of one database."""
    made: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for schema in schemas:
        for kind, parts in _named(schema):
            made["_".join((kind, schema.table, *parts))].add((schema.table, *parts))
    return Names(frozenset(name for name, parts in made.items() if len(parts) > 1))


def scale_name(names: Names, table: str, column: str, scale: int) -> str:
    """The name of the constraint that says by which power of ten a column's decimals are scaled."""
    return names.of(f"scale_{scale}", table, column)


def scale_of(names: Names, table: str, column: str, constraint: str) -> int | None:
    """The scale that the name of a constraint tells of a column's decimals; ``None`` for any other constraint."""
    found = _SCALE.match(constraint)
    if found is None or constraint != scale_name(names, table, column, int(found[1])):
        return None
    return int(found[1])


def quoted(name: str) -> str:
    """A name as it stands in SQL."""
    return '"{}"'.format(name.replace('"', '""'))


def digest(text: str) -> str:
    """Eight characters that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _named(schema: ModelSchema) -> Iterator[tuple[str, tuple[str, ...]]]:
    for index in declared_indexes(schema):
        yield "uq" if index.unique else "ix", index.columns
    for field in schema.fields:
        if field.options.references is not None:
            yield "fk", (field.name,)
    for name in schema.checks:
        yield "ck", (name,)
