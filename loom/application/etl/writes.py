"""How a table is written: one class a mode. Every mode is atomic, and run again with equal parameters gives the
same table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from loom.application.compile import Kinds
from loom.application.etl.params import params_identity
from loom.application.etl.plan import StepPlan
from loom.application.etl.scene import Columns, Site
from loom.domain.expr import Expr, Root, col, refs
from loom.domain.frozen import frozen
from loom.domain.model import schema_of


@frozen
class WriteMode:
    """Base of write modes. ``partial`` modes leave other rows of the table as they are."""

    @property
    def partition_columns(self) -> tuple[str, ...]:
        """The columns by which the mode replaces; a new table is laid out by them."""
        return ()


@frozen
class Append(WriteMode):
    """Add the rows. With ``once``, rows that this step has added with equal parameters are not added again, until
    the table is replaced as a whole."""

    once: bool = True


@frozen
class Replace(WriteMode):
    """Put the rows in the place of the whole table, columns included."""


@frozen
class ReplacePartition(WriteMode):
    """Put the rows in the place of one partition. ``values`` are pairs of column and value (literal or ``params``)."""

    values: tuple[tuple[str, Expr], ...]

    @property
    def partition_columns(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.values)


@frozen
class ReplacePartitions(WriteMode):
    """Put the rows in the place of every partition that they belong to. No rows: nothing is replaced."""

    columns: tuple[str, ...]

    @property
    def partition_columns(self) -> tuple[str, ...]:
        return self.columns


@frozen
class Upsert(WriteMode):
    """Update the rows whose keys the table has, and insert the others. Keys must be unique and not null."""

    keys: tuple[str, ...] = ()


@frozen(kw_only=True)
class WriteSite:
    """Where a mode is checked. ``columns`` are the table's columns where they are known, ``model`` its entity."""

    site: Site
    table: str
    columns: Columns | None
    model: type | None

    def check_columns(self, names: tuple[str, ...]) -> None:
        """Report each name that the table does not have."""
        self.site.check_columns(names, self.columns, f"table {self.table!r}")


WRITES: Final = Kinds[Callable[[Any, WriteSite], WriteMode]]("write mode")
"""Checks a mode and gives it with its defaults filled in."""


def append_identity(step: StepPlan, params: object) -> str:
    """What tells one append from another: the step and its parameters."""
    return f"{step.pipeline}/{step.name}/{params_identity(params)}"


def _append(mode: Append, at: WriteSite) -> Append:
    if mode.once and not at.site.scene.params:
        at.site.add(
            "LOOM-ETL-019",
            f"append() to {at.table!r} in a run without parameters would add rows at the first run only",
            "declare a parameter that tells the runs apart, or write append(once=False) to add rows at every run",
        )
    return mode


def _replace(mode: Replace, at: WriteSite) -> Replace:
    return mode


def _replace_partition(mode: ReplacePartition, at: WriteSite) -> ReplacePartition:
    if not mode.values:
        at.site.add("LOOM-ETL-015", "replace_partition() names no column", "write replace_partition(column=value)")
    at.check_columns(mode.partition_columns)
    for name, value in mode.values:
        if at.columns is not None and name not in at.columns:
            continue
        if any(ref.ref_root is not Root.PARAMS for ref in refs(value)):
            message = f"the partition value of {name!r} is {value!r}, which is neither a constant nor of params"
            at.site.add("LOOM-ETL-015", message, f"write replace_partition({name}=params.<name>)")
        else:
            at.site.check_predicate(col(name) == value, at.columns)
    return mode


def _replace_partitions(mode: ReplacePartitions, at: WriteSite) -> ReplacePartitions:
    if not mode.columns:
        at.site.add("LOOM-ETL-015", "replace_partitions() names no column", 'write replace_partitions("column")')
    at.check_columns(mode.columns)
    return mode


def _upsert(mode: Upsert, at: WriteSite) -> Upsert:
    if not mode.keys and at.model is not None:
        mode = Upsert(tuple(field.name for field in schema_of(at.model).keys))
    if not mode.keys:
        at.site.add("LOOM-ETL-015", f"upsert() into {at.table!r} has no keys", 'write upsert(keys=("column",))')
    at.check_columns(mode.keys)
    return mode


WRITES.register(Append, _append)
WRITES.register(Replace, _replace)
WRITES.register(ReplacePartition, _replace_partition)
WRITES.register(ReplacePartitions, _replace_partitions)
WRITES.register(Upsert, _upsert)
