"""``IntoTable``: a table of the lake as a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from loom.application.etl.contract import Contract, contract_of
from loom.application.etl.declare import Target
from loom.application.etl.from_table import table_name, table_resource
from loom.application.etl.plan import Resource, StepPlan, TargetPlan
from loom.application.etl.scene import TARGETS, Columns, Site, TargetBehaviour
from loom.application.etl.writes import (
    WRITES,
    Append,
    Replace,
    ReplacePartition,
    ReplacePartitions,
    Upsert,
    WriteMode,
    WriteSite,
)
from loom.domain.expr import wrap
from loom.domain.frozen import frozen
from loom.ports.etl import EtlEngine


@frozen
class IntoTable(Target):
    """Write a table of the lake; one of the methods says how.

    Attributes:
        table: its name, or an entity: then the frame must have the entity's columns and types, no nulls where the
            entity allows none, and nothing else.
    """

    table: str | type
    mode: WriteMode | None = attrs.field(default=None, kw_only=True)

    def append(self, *, once: bool = True) -> IntoTable:
        """Add the rows.

        Args:
            once: a run with equal parameters adds nothing again; ``False`` adds rows at every run.
        """
        return attrs.evolve(self, mode=Append(once))

    def replace(self) -> IntoTable:
        """Put the rows in the place of the whole table."""
        return attrs.evolve(self, mode=Replace())

    def replace_partition(self, **values: Any) -> IntoTable:
        """Put the rows in the place of one partition; all rows must belong to it.

        Args:
            values: value of each partition column, a constant or ``params.<name>``.
        """
        return attrs.evolve(self, mode=ReplacePartition(tuple((name, wrap(value)) for name, value in values.items())))

    def replace_partitions(self, *columns: str) -> IntoTable:
        """Put the rows in the place of every partition that they belong to; other partitions stay.

        Args:
            columns: the columns that make up a partition.
        """
        return attrs.evolve(self, mode=ReplacePartitions(columns))

    def upsert(self, *, keys: str | Sequence[str] = ()) -> IntoTable:
        """Update the rows whose keys the table has, and insert the others.

        Args:
            keys: the key columns; those of the entity where it names none.
        """
        return attrs.evolve(self, mode=Upsert((keys,) if isinstance(keys, str) else tuple(keys)))


@frozen(kw_only=True)
class TableTarget(TargetPlan):
    """Write a table in one mode; with a contract, only what keeps it."""

    table: str
    mode: WriteMode
    contract: Contract | None = None


def _writes(target: IntoTable, engine: EtlEngine[StepPlan]) -> Resource | None:
    return table_resource(target.table)


def _contract(target: IntoTable) -> Contract | None:
    if isinstance(target.table, str):
        return None
    try:
        return contract_of(target.table)
    except TypeError:
        # Reported where the target is planned.
        return None


def _plan(target: IntoTable, site: Site) -> TableTarget | None:
    name = table_name(target.table)
    model = target.table if isinstance(target.table, type) else None
    contract = site.contract(model) if model is not None else None
    if name is None or not site.check_name(name, "table"):
        return None
    if target.mode is None:
        site.add("LOOM-ETL-014", f"table {name!r} is written, but not said how", f"add {_MODES}")
        return None
    check = WRITES.require(target.mode, site.issues, "LOOM-ETL-014", site.where)
    if check is None:
        return None
    at = WriteSite(site=site, table=name, columns=_columns(name, target.mode, contract, site), model=model)
    return TableTarget(table=name, mode=check(target.mode, at), contract=contract)


def _columns(name: str, mode: WriteMode, contract: Contract | None, site: Site) -> Columns | None:
    if contract is not None:
        return contract.kinds
    return None if isinstance(mode, Replace) else site.scene.engine.tables.schema(name)


def _settle(plan: TableTarget, earlier: tuple[TargetPlan, ...]) -> TableTarget:
    """Rows that are added after a partition was replaced in the same run were replaced with it: add them again."""
    replaced = any(isinstance(each, TableTarget) and each.mode.partition_columns for each in earlier)
    return attrs.evolve(plan, mode=Append(once=False)) if replaced and isinstance(plan.mode, Append) else plan


_MODES = ".append(), .replace(), .replace_partition(...), .replace_partitions(...) or .upsert(...)"

TARGETS.register(IntoTable, TargetBehaviour(writes=_writes, contract=_contract, plan=_plan, settle=_settle))
