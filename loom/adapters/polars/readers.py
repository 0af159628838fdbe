"""How sources are read, lazily. Each kind of source registers here; a new kind is one more function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from loom.adapters.polars.conform import conform, wanted_by
from loom.adapters.polars.errors import translated
from loom.adapters.polars.expressions import to_polars
from loom.adapters.polars.tables import DeltaTables
from loom.adapters.polars.types import dtype_of
from loom.application.compile import Kinds
from loom.application.etl.files import FileFormat, FileSource
from loom.application.etl.from_table import TableSource
from loom.application.etl.locations import unpack
from loom.application.etl.plan import SourcePlan
from loom.application.etl.temp import TempSource
from loom.application.etl.text import INFERRED, inferred_kind
from loom.domain.expr import Root, bind_refs
from loom.domain.frozen import frozen
from loom.domain.schema import Kind, LogicalType


@frozen(kw_only=True)
class Reading:
    """What a reader may use. ``folder`` is the run's own; ``step`` is the name of the reading step."""

    tables: DeltaTables
    folder: Path
    step: str

    def temp(self, name: str) -> Path:
        """The file of a temporary result."""
        return self.folder / "temp" / f"{name}.parquet"


READERS: Final = Kinds[Callable[[Any, Reading], pl.LazyFrame]]("ETL source")


def read(source: SourcePlan, reading: Reading, params: object) -> pl.LazyFrame:
    """The selected rows and columns of a source, nothing of which has been read yet."""
    reader = READERS.of(source)
    if reader is None:
        raise TypeError(f"Polars cannot read a {type(source).__name__}")
    with translated(f"reading source {source.argument!r}"):
        frame = reader(source, reading)
        if source.predicate is not None:
            frame = frame.filter(to_polars(bind_refs(source.predicate, {Root.PARAMS: params})))
        return frame.select(source.selected) if source.selected else frame


def _table(source: TableSource, reading: Reading) -> pl.LazyFrame:
    frame = reading.tables.scan(source.table)
    if source.contract is None:
        return frame
    return conform(frame, wanted_by(source.contract), f"table {source.table!r}", extra=True)


def _temp(source: TempSource, reading: Reading) -> pl.LazyFrame:
    return pl.scan_parquet(reading.temp(source.name))


def _file(source: FileSource, reading: Reading) -> pl.LazyFrame:
    path = Path(source.path)
    if source.archived:
        path = unpack(source.path, source.member, reading.folder / "unpacked" / reading.step / source.argument)
    frame = _FORMATS[source.format](path, source)
    if source.contract is None:
        return frame
    return conform(frame, wanted_by(source.contract), f"file {source.path!r}", extra=True)


def _csv(path: Path, source: FileSource) -> pl.LazyFrame:
    texts = _scan_csv(path, source, {})
    names = texts.collect_schema().names()
    if source.contract is not None:
        wanted = {each.name: each.dtype for each in wanted_by(source.contract)}
    else:
        wanted = {name: dtype_of(LogicalType(kind=kind, python=None)) for name, kind in _inferred(texts, names).items()}
    return _scan_csv(path, source, {name: wanted.get(name, pl.String()) for name in names})


def _scan_csv(path: Path, source: FileSource, dtypes: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=source.separator,
        null_values=list(source.null_values) or None,
        infer_schema=False,
        schema_overrides=dict(dtypes),
    )


def _inferred(texts: pl.LazyFrame, names: list[str]) -> dict[str, Kind]:
    """The kind of each column, from all its values: a sample would miss the one that differs."""
    fits = texts.select(
        (pl.col(name).str.contains(pattern).all() & pl.col(name).is_not_null().any()).alias(f"{index}/{kind.value}")
        for index, name in enumerate(names)
        for kind, pattern in INFERRED.items()
    )
    found = fits.collect().row(0, named=True)
    return {
        name: inferred_kind({kind: found[f"{index}/{kind.value}"] for kind in INFERRED})
        for index, name in enumerate(names)
    }


def _parquet(path: Path, source: FileSource) -> pl.LazyFrame:
    return pl.scan_parquet(path)


def _ndjson(path: Path, source: FileSource) -> pl.LazyFrame:
    frame = pl.scan_ndjson(path, infer_schema_length=None)
    if source.contract is None:
        return frame
    found = frame.collect_schema()
    texts = {each.name: each.dtype for each in wanted_by(source.contract) if found.get(each.name) == pl.String}
    return frame.with_columns(_parsed(name, dtype) for name, dtype in texts.items() if dtype != pl.String)


def _parsed(name: str, dtype: pl.DataType) -> pl.Expr:
    """JSON has no dates and no decimals: it writes them as text."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        return column.str.to_datetime(time_unit="us", time_zone="UTC", strict=True)
    return column.str.to_date(strict=True) if isinstance(dtype, pl.Date) else column.cast(dtype, strict=True)


_FORMATS: Mapping[FileFormat, Callable[[Path, FileSource], pl.LazyFrame]] = {
    FileFormat.CSV: _csv,
    FileFormat.PARQUET: _parquet,
    FileFormat.NDJSON: _ndjson,
}

READERS.register(TableSource, _table)
READERS.register(TempSource, _temp)
READERS.register(FileSource, _file)
