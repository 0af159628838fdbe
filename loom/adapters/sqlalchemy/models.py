"""A started store's models: for each its table, row plan, query plan and statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.statements import ModelStatements
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable, catalogue_of
from loom.application.compile import Issues
from loom.application.models import compile_models
from loom.application.queries import QueryPlan
from loom.application.row_compiler import compile_rows
from loom.ports.codec import Codec


@attrs.frozen(eq=False)
class StoredModel:
    """Everything that is decided about one model before its first statement."""

    table: ModelTable
    plan: QueryPlan[Any]
    statements: ModelStatements


@attrs.frozen(eq=False)
class StoredModels:
    """All models of a started store."""

    catalogue: Catalogue
    by_class: Mapping[type, StoredModel]


def compile_stored(models: Iterable[type], codec: Codec, dialect: Dialect) -> StoredModels:
    """Compile models for one database.

    Raises:
        CompileError: the models have faults; all of them.
    """
    issues = Issues()
    schemas = compile_models(models, issues)
    issues.raise_if_any()
    catalogue = catalogue_of(schemas, dialect.name)
    by_class = {}
    for table in catalogue.tables.values():
        conversions = {name: storage.conversion for name, storage in table.storages.items()}
        plan = QueryPlan(compile_rows(table.schema, codec, conversions))
        by_class[table.schema.model] = StoredModel(table, plan, ModelStatements(table, dialect))
    return StoredModels(catalogue, by_class)
