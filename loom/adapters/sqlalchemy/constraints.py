"""Uniqueness, named checks and indexes of models as constraints of the database, under names that say what they mean.

A name ends with a digest of the predicate where there is one: a predicate that is written anew is another constraint,
which is how a migration notices.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import sqlalchemy as sa

from loom.adapters.sqlalchemy.expressions import Translator
from loom.adapters.sqlalchemy.names import Names, digest, scale_name
from loom.adapters.sqlalchemy.storage import SQLITE
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable
from loom.application.model_constraints import alive, columns_of, named_checks, plain_predicate, unique_groups
from loom.domain.constraints import Index
from loom.domain.errors import CheckFailed
from loom.domain.expr import Expr
from loom.domain.schema import Kind


def constrained(catalogue: Catalogue, dialect: str) -> Catalogue:
    """Add the constraints of all models to their tables, and what each means to the catalogue."""
    unique: dict[str, tuple[str, ...]] = {}
    checks: dict[str, Callable[[], CheckFailed]] = {}
    for made in catalogue.tables.values():
        translator = Translator(made, dialect)
        for group in unique_groups(made.schema):
            unique[_add_unique(made, group, translator, catalogue.names)] = group.columns
        for index in made.schema.indexes:
            if not index.unique:
                _add_index(made, _name("ix", made, index, catalogue.names), index, translator)
        for name, expr in named_checks(made.schema).items():
            full = catalogue.names.of("ck", made.schema.table, name, predicate=_digest(made, expr))
            made.table.append_constraint(sa.CheckConstraint(translator.where(expr), name=full))
            checks[full] = partial(CheckFailed, made.schema.table, name, columns_of(expr))
        if dialect == SQLITE:
            _add_scales(made, catalogue.names)
    return attrs.evolve(catalogue, unique={**catalogue.unique, **unique}, checks=checks)


def _add_unique(made: ModelTable, group: Index, translator: Translator, names: Names) -> str:
    name = _name("uq", made, group, names)
    if group.where is not None:
        _add_index(made, name, group, translator)
    else:
        made.table.append_constraint(sa.UniqueConstraint(*group.columns, name=name))
    return name


def _add_index(made: ModelTable, name: str, index: Index, translator: Translator) -> None:
    options: dict[str, Any] = {}
    if index.where is not None:
        where = translator.where(plain_predicate(index.where))
        options = {f"{translator.dialect}_where": where}
    sa.Index(name, *(made.table.c[column] for column in index.columns), unique=index.unique, **options)


def _name(kind: str, made: ModelTable, index: Index, names: Names) -> str:
    # That deleted rows do not count is the rule of the whole table, not of one index.
    plain = index.where is None or repr(index.where) == repr(alive(made.schema))
    predicate = "" if plain or index.where is None else _digest(made, index.where)
    return names.of(kind, made.schema.table, *index.columns, predicate=predicate)


def _digest(made: ModelTable, expr: Expr) -> str:
    # Where decimals are integers, the constants beside them are scaled as well.
    scales = "".join(f" {name}:{scale}" for name in columns_of(expr) if (scale := made.storages[name].scale))
    return digest(repr(expr) + scales)


def _add_scales(made: ModelTable, names: Names) -> None:
    """Say in the table how SQLite's integers are to be read, so that another scale is noticed."""
    for name, storage in made.storages.items():
        if storage.kind is Kind.DECIMAL:
            holds = sa.func.typeof(made.table.c[name]).in_(["integer", "null"])
            full = scale_name(names, made.schema.table, name, storage.scale)
            made.table.append_constraint(sa.CheckConstraint(holds, name=full))
