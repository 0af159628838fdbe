"""``FromTable``: a table of the lake as a source."""

from __future__ import annotations

from loom.application.etl.contract import Contract
from loom.application.etl.declare import Source
from loom.application.etl.plan import Resource, SourcePlan, StepPlan
from loom.application.etl.scene import SOURCES, Columns, Site, SourceBehaviour
from loom.domain.expr import Root, refs
from loom.domain.frozen import frozen
from loom.domain.model import schema_of
from loom.ports.etl import EtlEngine


@frozen
class FromTable(Source):
    """Read a table of the lake.

    Attributes:
        table: its name (``"raw.orders"``), or an entity: then the table is the entity's, only the entity's columns are
            read, and they have the entity's types.
    """

    table: str | type


@frozen(kw_only=True)
class TableSource(SourcePlan):
    """Read a table; with a contract, its columns alone and in its types."""

    table: str
    contract: Contract | None = None


def table_name(table: str | type) -> str | None:
    """The name of a table, or ``None`` for a class that is no model."""
    if isinstance(table, str):
        return table
    try:
        return schema_of(table).table
    except TypeError:
        return None


def table_resource(table: str | type) -> Resource | None:
    """The table as something that steps read and write."""
    name = table_name(table)
    return None if name is None else Resource("table", name)


def _reads(source: FromTable, engine: EtlEngine[StepPlan]) -> Resource | None:
    return table_resource(source.table)


def _plan(source: FromTable, site: Site) -> TableSource | None:
    name = table_name(source.table)
    contract = site.contract(source.table) if isinstance(source.table, type) else None
    if name is None or not site.check_name(name, "table"):
        return None
    stored = _stored_columns(name, site)
    known: Columns | None = contract.kinds if contract else stored
    site.check_columns(source.selected, known, f"table {name!r}")
    if source.predicate is not None:
        site.check_predicate(source.predicate, known)
    if contract is not None and stored is not None:
        _check_stored(source, name, contract, stored, site)
    return TableSource(
        argument=site.argument,
        selected=source.selected,
        predicate=source.predicate,
        table=name,
        contract=contract,
    )


def _stored_columns(name: str, site: Site) -> Columns | None:
    """The columns that the table will have when it is read, or ``None`` where they are not known."""
    resource, written = Resource("table", name), site.scene.written
    if resource in written:
        promised = written[resource]
        return promised.kinds if promised else None
    stored = site.scene.engine.tables.schema(name)
    if stored is None:
        tables = {each.name for each in written if each.kind == "table"}
        known = tables.union(site.scene.engine.tables.names())
        site.issues.unknown("LOOM-ETL-009", site.where, "table", name, known)
    return stored


def _check_stored(source: FromTable, name: str, contract: Contract, stored: Columns, site: Site) -> None:
    used = set(source.selected)
    if used and source.predicate is not None:
        used |= {ref.ref_path[0] for ref in refs(source.predicate) if ref.ref_root is Root.COLUMN}
    for column in contract.columns:
        wanted = not used or column.name in used
        if wanted and column.name not in stored and not (column.filled or column.may_lack):
            message = f"table {name!r} has no column {column.name!r}, which {contract.model} declares"
            site.add("LOOM-ETL-012", message, f"it has: {', '.join(stored)}")


SOURCES.register(FromTable, SourceBehaviour(reads=_reads, plan=_plan))
