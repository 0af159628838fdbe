"""How targets are written. Each kind of target registers here; a new kind is one more function."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame, DataFrameWriter, Observation
from pyspark.sql import functions as F  # noqa: N812

from loom.adapters.spark.commit import Batch
from loom.adapters.spark.conform import conform, not_null, storable, wanted_by, wanted_like
from loom.adapters.spark.errors import translated
from loom.adapters.spark.readers import Reading
from loom.adapters.spark.tables import columns_of
from loom.adapters.spark.writes import WRITERS, Writing
from loom.application.compile import Kinds
from loom.application.etl.files import FileFormat, FileTarget
from loom.application.etl.into_table import TableTarget
from loom.application.etl.plan import StepPlan
from loom.application.etl.temp import TempTarget
from loom.application.etl.writes import Replace, append_identity
from loom.domain.errors import EngineFailure
from loom.domain.frozen import frozen
from loom.ports.etl import StepOutcome


@frozen(kw_only=True)
class Delivery:
    """Rows on their way to a target: which step gave them, in which run."""

    step: StepPlan
    params: object
    frame: DataFrame
    reading: Reading


TARGET_WRITERS: Final = Kinds[Callable[[Any, Delivery], StepOutcome]]("ETL target")


def _table(target: TableTarget, delivery: Delivery) -> StepOutcome:
    reading, subject = delivery.reading, f"table {target.table!r}"
    stored = reading.tables.open(target.table)
    if target.contract is not None:
        wanted = wanted_by(target.contract)
        frame = conform(delivery.frame, wanted, subject)
        frame = not_null(frame, [each.name for each in wanted if not each.nullable], subject)
    else:
        frame = storable(delivery.frame, subject)
    if stored is not None and not isinstance(target.mode, Replace):
        frame = conform(frame, wanted_like(columns_of(stored)), subject)
    write = WRITERS.of(target.mode)
    if write is None:
        raise TypeError(f"Spark cannot write with {type(target.mode).__name__}")
    writing = Writing(
        spark=reading.spark,
        params=delivery.params,
        identity=append_identity(delivery.step, delivery.params),
        stage=reading.folder / "staged" / uuid.uuid4().hex,
    )
    written = write(target.mode, Batch(tables=reading.tables, table=target.table, stored=stored, frame=frame), writing)
    return StepOutcome(
        rows_in=None,
        rows_out=written.rows,
        bytes_out=written.bytes,
        version=written.version,
        note=written.note,
    )


def _temp(target: TempTarget, delivery: Delivery) -> StepOutcome:
    frame, rows = _counted(storable(delivery.frame, f"temporary result {target.name!r}"))
    with translated(f"writing temporary result {target.name!r}"):
        frame.write.mode("overwrite").parquet(str(delivery.reading.temp(target.name)))
    return StepOutcome(rows_in=None, rows_out=rows.get["rows"])


def _file(target: FileTarget, delivery: Delivery) -> StepOutcome:
    """One file, as other engines write: files are for handing over, tables for volume."""
    path = Path(target.path)
    frame, rows = _counted(storable(delivery.frame, f"file {target.path!r}"))
    # Beside the file, so that the last move is a rename within one file system.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with translated(f"writing file {target.path!r}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _FORMATS[target.format](frame.coalesce(1).write, str(part))
            _only(part).replace(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return StepOutcome(rows_in=None, rows_out=rows.get["rows"], bytes_out=path.stat().st_size)


def _counted(frame: DataFrame) -> tuple[DataFrame, Observation]:
    """The frame, and its number of rows once it has been written."""
    rows = Observation()
    return frame.observe(rows, F.count(F.lit(1)).alias("rows")), rows


def _only(folder: Path) -> Path:
    found = list(folder.glob("part-*"))
    if len(found) != 1:
        raise EngineFailure(f"Spark wrote {len(found)} files into {str(folder)!r}, not one")
    return found[0]


_MOMENT = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"
"""Spark's own form has milliseconds."""


def _csv(writer: DataFrameWriter, path: str) -> None:
    writer.option("header", True).option("escape", '"').option("timestampFormat", _MOMENT).csv(path)


def _ndjson(writer: DataFrameWriter, path: str) -> None:
    writer.option("timestampFormat", _MOMENT).json(path)


_FORMATS: Mapping[FileFormat, Callable[[DataFrameWriter, str], None]] = {
    FileFormat.CSV: _csv,
    FileFormat.PARQUET: lambda writer, path: writer.parquet(path),
    FileFormat.NDJSON: _ndjson,
}

TARGET_WRITERS.register(TableTarget, _table)
TARGET_WRITERS.register(TempTarget, _temp)
TARGET_WRITERS.register(FileTarget, _file)
