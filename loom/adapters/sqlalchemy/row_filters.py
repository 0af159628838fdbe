"""Statements of repositories that carry row filters. They are built once for each shape of filters and used with the
values of any caller: a deployment has as many shapes as it declares scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from sqlalchemy.engine.interfaces import Dialect

from loom.adapters.sqlalchemy.expressions import Slots
from loom.adapters.sqlalchemy.lists import ListStatements
from loom.adapters.sqlalchemy.loading import Loading, compile_loading
from loom.adapters.sqlalchemy.models import StoredModel
from loom.adapters.sqlalchemy.related import Living, Tables
from loom.application.fit import Fit
from loom.application.recent import Recent
from loom.application.shapes import shape_of
from loom.domain.expr import Expr
from loom.domain.visibility import RowFilters

_MOST_FILTERS: Final = 64
"""Shapes that are kept. Where claims hold lists, their lengths belong to the shape."""


@attrs.define(eq=False, repr=False)
class FilteredStatements:
    """The statements of one shape of filters, each built when it is first needed.

    ``fits`` says for each parameter which of all constants it takes, and what that needs for the driver.
    """

    living: Living
    dialect: Dialect
    fits: Mapping[str, tuple[int, Fit | None]]
    _lists: dict[str, ListStatements] = attrs.field(factory=dict)
    _loadings: dict[tuple[str, str], Loading] = attrs.field(factory=dict)

    def lists(self, model: StoredModel) -> ListStatements:
        """The lists of a model."""
        name = model.table.schema.table
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = ListStatements(model.table, self.living, self.dialect, tuple(self.fits))
        return found

    def loading(self, model: StoredModel, profile: str) -> Loading:
        """What a profile of a model loads."""
        key = (model.table.schema.table, profile)
        found = self._loadings.get(key)
        if found is None:
            selection = model.plan.selections[profile]
            found = self._loadings[key] = compile_loading(selection, self.living, self.dialect)
        return found


@attrs.frozen(eq=False, repr=False)
class BoundFilters:
    """The statements of a shape with the values of one caller, by the names of their parameters."""

    statements: FilteredStatements
    values: Mapping[str, Any]


@attrs.frozen(eq=False, repr=False)
class FilterCache:
    """The shapes of filters that a store has met."""

    tables: Tables
    dialect: Dialect
    _shapes: Recent[FilteredStatements] = attrs.field(factory=lambda: Recent(_MOST_FILTERS))

    def bound(self, filters: RowFilters, models: Mapping[type, StoredModel]) -> BoundFilters:
        """The statements for the filters of one caller."""
        known = [(models[model].plan, where) for model, where in filters.by_model.items() if model in models]
        plain = {plan.schema.table: where for plan, each in known if (where := plan.predicate(each)) is not None}
        constants: list[Any] = []
        shape = tuple([(table, shape_of(where, constants)) for table, where in plain.items()])
        found = self._shapes.get(shape)
        if found is None:
            found = self._shapes.put(shape, self._built(plain))
        values = {name: constants[at] if fit is None else fit(constants[at]) for name, (at, fit) in found.fits.items()}
        return BoundFilters(found, values)

    def _built(self, filters: Mapping[str, Expr]) -> FilteredStatements:
        living = Living(self.tables, self.dialect.name, filters)
        fits: dict[str, tuple[int, Fit | None]] = {}
        before = 0
        for table in filters:
            slots = Slots(living.prefix(table))
            living.filtered(table, self.tables[table].table, slots)
            fits |= {name: (before + number, fit) for name, (number, fit) in slots.fits.items()}
            before += slots.taken
        return FilteredStatements(living, self.dialect, fits)
