"""How targets are written. Each kind of target registers here; a new kind is one more function."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from loom.adapters.polars.commit import Batch, Written
from loom.adapters.polars.conform import conform, storable, wanted_by, wanted_like
from loom.adapters.polars.errors import translated
from loom.adapters.polars.guard import Guard
from loom.adapters.polars.readers import Reading
from loom.adapters.polars.writes import WRITERS, Writing
from loom.application.compile import Kinds
from loom.application.etl.files import FileFormat, FileTarget
from loom.application.etl.into_table import TableTarget
from loom.application.etl.plan import StepPlan
from loom.application.etl.temp import TempTarget
from loom.application.etl.writes import Replace, append_identity
from loom.domain.frozen import frozen
from loom.ports.etl import StepOutcome


@frozen(kw_only=True)
class Delivery:
    """Rows on their way to a target: which step gave them, in which run."""

    step: StepPlan
    params: object
    frame: pl.LazyFrame
    reading: Reading


TARGET_WRITERS: Final = Kinds[Callable[[Any, Delivery], StepOutcome]]("ETL target")


def _table(target: TableTarget, delivery: Delivery) -> StepOutcome:
    tables, subject, guard = delivery.reading.tables, f"table {target.table!r}", Guard()
    stored = tables.open(target.table)
    if target.contract is not None:
        wanted = wanted_by(target.contract)
        frame = conform(delivery.frame, wanted, subject)
        frame = guard.not_null(frame, [each.name for each in wanted if not each.nullable], subject)
    else:
        frame = storable(delivery.frame, subject)
    if stored is not None and not isinstance(target.mode, Replace):
        frame = conform(frame, wanted_like(pl.scan_delta(stored).collect_schema()), subject)
    write = WRITERS.of(target.mode)
    if write is None:
        raise TypeError(f"Polars cannot write with {type(target.mode).__name__}")
    batch = Batch(path=tables.path(target.table), table=target.table, stored=stored, frame=frame, guard=guard)
    identity = append_identity(delivery.step, delivery.params)
    stage = delivery.reading.folder / "staged" / f"{uuid.uuid4().hex}.parquet"
    return _outcome(write(target.mode, batch, Writing(params=delivery.params, identity=identity, stage=stage)))


def _outcome(written: Written) -> StepOutcome:
    return StepOutcome(
        rows_in=None,
        rows_out=written.rows,
        bytes_out=written.bytes,
        version=written.version,
        note=written.note,
    )


def _temp(target: TempTarget, delivery: Delivery) -> StepOutcome:
    path = delivery.reading.temp(target.name)
    frame = storable(delivery.frame, f"temporary result {target.name!r}")
    return _into_file(path, frame, FileFormat.PARQUET)


def _file(target: FileTarget, delivery: Delivery) -> StepOutcome:
    return _into_file(Path(target.path), storable(delivery.frame, f"file {target.path!r}"), target.format)


def _into_file(path: Path, frame: pl.LazyFrame, file_format: FileFormat) -> StepOutcome:
    # Beside the file, so that the last move is a rename within one file system.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with translated(f"writing file {str(path)!r}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _SINKS[file_format](frame, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        rows = _SCANS[file_format](path).select(pl.len()).collect().item()
    return StepOutcome(rows_in=None, rows_out=rows, bytes_out=path.stat().st_size)


_SINKS: Mapping[FileFormat, Callable[[pl.LazyFrame, Path], Any]] = {
    FileFormat.CSV: lambda frame, path: frame.sink_csv(path),
    FileFormat.PARQUET: lambda frame, path: frame.sink_parquet(path),
    FileFormat.NDJSON: lambda frame, path: frame.sink_ndjson(path),
}
_SCANS: Mapping[FileFormat, Callable[[Path], pl.LazyFrame]] = {
    FileFormat.CSV: lambda path: pl.scan_csv(path, infer_schema=False),
    FileFormat.PARQUET: pl.scan_parquet,
    FileFormat.NDJSON: pl.scan_ndjson,
}

TARGET_WRITERS.register(TableTarget, _table)
TARGET_WRITERS.register(TempTarget, _temp)
TARGET_WRITERS.register(FileTarget, _file)
