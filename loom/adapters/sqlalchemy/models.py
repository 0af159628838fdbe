"""A started store's models: for each its table, row plan, query plan and statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.constraints import constrained
from loom.adapters.sqlalchemy.lists import ListStatements
from loom.adapters.sqlalchemy.loading import Loading, compile_loading, computed_conversion
from loom.adapters.sqlalchemy.related import Living
from loom.adapters.sqlalchemy.statements import ModelStatements
from loom.adapters.sqlalchemy.tables import Catalogue, ModelTable, catalogue_of
from loom.application.compile import Issues
from loom.application.graph import compile_graph
from loom.application.projections import ProjectionPlan
from loom.application.queries import QueryPlan
from loom.application.row_compiler import compile_rows, computed_load
from loom.application.rows import Load
from loom.application.selections import compile_selections
from loom.ports.codec import Codec


@attrs.frozen(eq=False, repr=False)
class StoredModel:
    """Everything that is decided about one model before its first statement."""

    table: ModelTable
    plan: QueryPlan[Any]
    statements: ModelStatements
    lists: ListStatements
    loadings: Mapping[str, Loading]

    def stored(self, name: str, value: Any) -> Any:
        """A value of one field as the driver takes it.

        Raises:
            ValueError: it does not fit.
        """
        store = self.table.storages[name].conversion.store
        plain = self.plan.rows.fits[name](value)
        return plain if store is None else store(plain)


@attrs.frozen(eq=False, repr=False)
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
    graph = compile_graph(models, issues)
    issues.raise_if_any()
    catalogue = constrained(catalogue_of(graph.schemas, dialect.name), dialect.name)
    rows = {
        table.schema.model: compile_rows(
            table.schema, codec, {name: storage.conversion for name, storage in table.storages.items()}
        )
        for table in catalogue.tables.values()
    }

    def load(plan: ProjectionPlan) -> Load | None:
        return computed_load(plan, codec, computed_conversion(plan, dialect.name))

    selections = compile_selections(graph, rows, load)
    living = Living(catalogue.tables, dialect.name)
    by_class = {}
    for table in catalogue.tables.values():
        model = table.schema.model
        plan = QueryPlan(rows[model], graph, selections[model])
        statements = ModelStatements(table, dialect)
        lists = ListStatements(table, living, dialect)
        loadings = {name: compile_loading(each, living, dialect) for name, each in plan.selections.items()}
        by_class[model] = StoredModel(table, plan, statements, lists, loadings)
    return StoredModels(catalogue, by_class)
