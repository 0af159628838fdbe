"""The lake: Parquet tables in a folder, with atomic commits. ``raw.orders`` lies in ``raw/orders``."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from loom.adapters.spark.commit import Batch
from loom.adapters.spark.conform import conform, not_null, storable, wanted_by, wanted_like
from loom.adapters.spark.errors import translated
from loom.adapters.spark.expressions import named, to_spark
from loom.adapters.spark.manifest import COMMITS, PART, Manifest, newest
from loom.adapters.spark.session import Session
from loom.adapters.spark.types import kind_of
from loom.application.etl.conflicts import retrying
from loom.application.etl.constants import plain
from loom.application.etl.contract import contract_of
from loom.domain.errors import BrokenContract, NotFound
from loom.domain.expr import Expr
from loom.domain.schema import Kind
from loom.ports.etl import TableState

INTERNAL = "_loom"
"""The folder of the lake that holds what is no table: runs, temporary results."""
_CONFLICT_RETRIES = 5


class ParquetTables:
    """The tables under one folder."""

    def __init__(self, folder: Path, session: Session) -> None:
        self.folder = folder
        self.session = session

    def names(self) -> Sequence[str]:
        """Names of all tables, sorted."""
        found = []
        for path, folders, _ in os.walk(self.folder):
            if COMMITS in folders:
                found.append(".".join(Path(path).relative_to(self.folder).parts))
                folders.clear()
            folders[:] = [name for name in folders if name != INTERNAL]
        return sorted(found)

    def path(self, table: str) -> Path:
        """Where a table lies, whether it exists or not."""
        return self.folder.joinpath(*table.split("."))

    def open(self, table: str) -> Manifest | None:
        """The newest version of a table, or ``None``. Needs no Spark."""
        with translated(f"opening table {table!r}"):
            return newest(self.path(table))

    def require(self, table: str) -> Manifest:
        """The newest version of a table.

        Raises:
            NotFound: there is no such table.
        """
        found = self.open(table)
        if found is None:
            raise NotFound("table", table)
        return found

    def scan(self, table: str, manifest: Manifest) -> DataFrame:
        """The rows of a version, lazily."""
        folder, schema, spark = self.path(table), columns_of(manifest), self.session.get()
        if not manifest.parts:
            return spark.createDataFrame([], schema)
        # The values of partition columns are in the paths, below the name of the part, which is one more of them.
        whole = T.StructType([*schema.fields, T.StructField(PART, T.StringType())])
        paths = [str(folder / part.path) for part in manifest.parts]
        frame = spark.read.schema(whole).option("basePath", str(folder)).parquet(*paths)
        return frame.select([named(field.name) for field in schema.fields])

    def schema(self, table: str) -> Mapping[str, Kind | None] | None:
        """The columns of a table and their kinds, or ``None`` without it."""
        found = self.open(table)
        if found is None:
            return None
        return {field.name: kind_of(field.dataType) for field in columns_of(found).fields}

    def state(self, table: str) -> TableState | None:
        """The present state of a table, or ``None`` without it."""
        found = self.open(table)
        if found is None:
            return None
        fields = sorted(columns_of(found).fields, key=lambda field: field.name)
        hashed = F.xxhash64(*(named(field.name) for field in fields)).cast("decimal(38,0)")
        with translated(f"reading table {table!r}"):
            row = self.scan(table, found).agg(F.sum(hashed)).first()
        digest = row[0] if row and row[0] is not None else 0
        columns = ",".join(field.name for field in fields)
        return TableState(version=found.version, rows=found.rows, digest=f"{int(digest) % 2**64:016x}:{columns}")

    def rows(
        self, table: str, *, columns: Sequence[str] = (), where: Expr | None = None
    ) -> Iterator[Mapping[str, object]]:
        """The rows of a table as plain values, one partition of the frame after the other."""
        with translated(f"reading table {table!r}"):
            frame = self.scan(table, self.require(table))
            if where is not None:
                frame = frame.filter(to_spark(where))
            if columns:
                frame = frame.select([named(name) for name in columns])
            for batch in frame.toArrow().to_batches():
                for row in batch.to_pylist():
                    yield {name: _utc(value) for name, value in row.items()}

    def append(
        self, table: str, rows: Sequence[Mapping[str, object]], *, model: type | None = None, once: str = ""
    ) -> None:
        """Add rows in one commit."""
        if rows:
            retrying(lambda: self._append(table, rows, model, once), _CONFLICT_RETRIES)

    def _append(self, table: str, rows: Sequence[Mapping[str, object]], model: type | None, once: str) -> None:
        subject, stored = f"table {table!r}", self.open(table)
        frame = self._frame(rows, subject)
        if model is not None:
            wanted = wanted_by(contract_of(model))
            frame = conform(frame, wanted, subject)
            frame = not_null(frame, [each.name for each in wanted if not each.nullable], subject)
        if stored is not None:
            frame = conform(frame, wanted_like(columns_of(stored)), subject)
        elif model is None:
            frame = storable(frame, subject)
        Batch(tables=self, table=table, stored=stored, frame=frame).append(once)

    def _frame(self, rows: Sequence[Mapping[str, object]], subject: str) -> DataFrame:
        try:
            values = pa.Table.from_pylist([{name: plain(value) for name, value in row.items()} for row in rows])
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise BrokenContract(f"the rows do not fit {subject}: {error}") from error
        with translated(f"reading rows for {subject}"):
            return self.session.get().createDataFrame(values)


def columns_of(manifest: Manifest) -> T.StructType:
    """The columns of a version."""
    return T.StructType.fromJson(json.loads(manifest.schema))


def _utc(value: Any) -> Any:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value
