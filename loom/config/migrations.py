"""The migrations of a configured application: those of the database that the section ``persistence`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.config.kernel import Kernel
from loom.domain.errors import ConfigError, Issue, Place

if TYPE_CHECKING:
    from loom.adapters.sqlalchemy.migrations import Migrations


def migrations_of(kernel: Kernel) -> Migrations:
    """The migrations of a kernel's store.

    Raises:
        CompileError: every issue of every declaration.
        ConfigError: the store has no tables, or its address cannot be used.
        MissingExtra: the library of the store is not installed.
    """
    chosen = kernel.config.adapters["persistence"]
    if chosen.adapter.name != "sqlalchemy":
        raise ConfigError(
            [
                Issue(
                    code="LOOM-DB-006",
                    where=Place(name="persistence.adapter"),
                    message=f"the {chosen.adapter.name} store has no tables to migrate",
                    remedy="choose persistence.adapter: sqlalchemy",
                )
            ]
        )
    chosen.adapter.provider()  # says which extra is missing, where one is
    from loom.adapters.sqlalchemy.migrations import Migrations

    return Migrations(chosen.settings, [schema.model for schema in kernel.plans.models])
