"""Uniqueness, named checks and indexes of models as constraints of the database, under names that say what they mean.

A name ends with a digest of the predicate where there is one: a predicate that is written anew is another constraint,
which is how a migration notices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import sqlalchemy as sa

from loom.adapters.sqlalchemy.expressions import Translator
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable, constraint_name
from loom.application.model_constraints import alive, columns_of, named_checks, plain_predicate, unique_groups
from loom.domain.constraints import Index
from loom.domain.errors import CheckFailed
from loom.domain.expr import Expr


def constrained(catalogue: Catalogue, dialect: str) -> Catalogue:
    """Add the constraints of all models to their tables, and what each means to the catalogue."""
    unique: dict[str, tuple[str, ...]] = {}
    checks: dict[str, Callable[[], CheckFailed]] = {}
    for made in catalogue.tables.values():
        translator = Translator(made, dialect)
        for group in unique_groups(made.schema):
            unique[_add_unique(made, group, translator)] = group.columns
        for index in made.schema.indexes:
            if not index.unique:
                _add_index(made, _name("ix", made, index), index, translator)
        for name, expr in named_checks(made.schema).items():
            full = constraint_name("ck", made.schema.table, name, _digest(expr))
            made.table.append_constraint(sa.CheckConstraint(translator.where(expr), name=full))
            checks[full] = partial(CheckFailed, made.schema.table, name, columns_of(expr))
    return attrs.evolve(catalogue, unique={**catalogue.unique, **unique}, checks=checks)


def _add_unique(made: ModelTable, group: Index, translator: Translator) -> str:
    name = _name("uq", made, group)
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


def _name(kind: str, made: ModelTable, index: Index) -> str:
    # That deleted rows do not count is the rule of the whole table, not of one index.
    plain = index.where is None or repr(index.where) == repr(alive(made.schema))
    digest = () if plain or index.where is None else (_digest(index.where),)
    return constraint_name(kind, made.schema.table, *index.columns, *digest)


def _digest(expr: Expr) -> str:
    return hashlib.sha256(repr(expr).encode()).hexdigest()[:8]
