"""The lake: Delta tables in a folder. ``raw.orders`` lies in ``raw/orders``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from loom.adapters.polars.commit import Batch
from loom.adapters.polars.conform import conform, storable, wanted_by, wanted_like
from loom.adapters.polars.errors import translated
from loom.adapters.polars.expressions import to_polars
from loom.adapters.polars.guard import Guard
from loom.adapters.polars.types import kind_of
from loom.application.etl.conflicts import retrying
from loom.application.etl.constants import plain
from loom.application.etl.contract import contract_of
from loom.domain.errors import BrokenContract, NotFound
from loom.domain.expr import Expr
from loom.domain.schema import Kind
from loom.ports.etl import TableState

INTERNAL = "_loom"
"""The folder of the lake that holds what is no table: runs, temporary results."""


class DeltaTables:
    """The tables under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> Sequence[str]:
        """Names of all tables, sorted."""
        found = []
        for path, folders, _ in os.walk(self.folder):
            if "_delta_log" in folders:
                found.append(".".join(Path(path).relative_to(self.folder).parts))
                folders.clear()
            folders[:] = [name for name in folders if name != INTERNAL]
        return sorted(found)

    def path(self, table: str) -> Path:
        """Where a table lies, whether it exists or not."""
        return self.folder.joinpath(*table.split("."))

    def open(self, table: str) -> DeltaTable | None:
        """The newest version of a table, or ``None``."""
        path = self.path(table)
        with translated(f"opening table {table!r}"):
            try:
                return DeltaTable(path) if path.is_dir() else None
            except TableNotFoundError:
                return None

    def scan(self, table: str) -> pl.LazyFrame:
        """The rows of the newest version, lazily.

        Raises:
            NotFound: there is no such table.
        """
        return pl.scan_delta(self.require(table))

    def require(self, table: str) -> DeltaTable:
        """The newest version of a table.

        Raises:
            NotFound: there is no such table.
        """
        found = self.open(table)
        if found is None:
            raise NotFound("table", table)
        return found

    def dtypes(self, table: str) -> Mapping[str, pl.DataType] | None:
        """The columns of a table and their types, or ``None`` without it."""
        found = self.open(table)
        return None if found is None else pl.scan_delta(found).collect_schema()

    def schema(self, table: str) -> Mapping[str, Kind | None] | None:
        """The columns of a table and their kinds, or ``None`` without it."""
        found = self.dtypes(table)
        return None if found is None else {name: kind_of(dtype) for name, dtype in found.items()}

    def state(self, table: str) -> TableState | None:
        """The present state of a table, or ``None`` without it."""
        found = self.open(table)
        if found is None:
            return None
        frame = pl.scan_delta(found)
        names = sorted(frame.collect_schema().names())
        # A sum, which wraps, does not depend on the order of the rows.
        query = frame.select(digest=pl.struct(names).hash(seed=0).sum(), rows=pl.len())
        with translated(f"reading table {table!r}"):
            digest, rows = query.collect().row(0)
        columns = pl.Series(names, dtype=pl.String).hash(seed=0).sum() or 0
        return TableState(version=found.version(), rows=rows, digest=f"{columns:016x}{digest or 0:016x}")

    def rows(
        self, table: str, *, columns: Sequence[str] = (), where: Expr | None = None
    ) -> Iterator[Mapping[str, object]]:
        """The rows of a table as plain values, batch by batch."""
        frame = self.scan(table)
        if where is not None:
            frame = frame.filter(to_polars(where))
        if columns:
            frame = frame.select(columns)
        with translated(f"reading table {table!r}"):
            for batch in frame.collect_batches(lazy=True, maintain_order=False):
                yield from batch.iter_rows(named=True)

    def append(
        self, table: str, rows: Sequence[Mapping[str, object]], *, model: type | None = None, once: str = ""
    ) -> None:
        """Add rows in one commit."""
        if rows:
            retrying(lambda: self._append(table, rows, model, once), _CONFLICT_RETRIES)

    def _append(self, table: str, rows: Sequence[Mapping[str, object]], model: type | None, once: str) -> None:
        subject, guard, stored = f"table {table!r}", Guard(), self.open(table)
        held = None if stored is None else pl.scan_delta(stored).collect_schema()
        wanted = wanted_by(contract_of(model)) if model is not None else wanted_like(held or {})
        frame = _frame(rows, {each.name: each.dtype for each in wanted}, subject)
        if model is not None:
            frame = conform(frame, wanted, subject)
            frame = guard.not_null(frame, [each.name for each in wanted if not each.nullable], subject)
        frame = storable(frame, subject)
        if held is not None:
            frame = conform(frame, wanted_like(held), subject)
        Batch(path=self.path(table), table=table, stored=stored, frame=frame, guard=guard).append(once)


def _frame(rows: Sequence[Mapping[str, object]], dtypes: Mapping[str, pl.DataType], subject: str) -> pl.LazyFrame:
    values = [{name: plain(value) for name, value in row.items()} for row in rows]
    known = {name: dtype for name, dtype in dtypes.items() if any(name in row for row in values)}
    try:
        return pl.DataFrame(values, schema_overrides=known, infer_schema_length=None, strict=True).lazy()
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise BrokenContract(f"the rows do not fit {subject}: {error}") from error


_CONFLICT_RETRIES = 5
