"""How sources are read, lazily. Each kind of source registers here; a new kind is one more function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T  # noqa: N812

from loom.adapters.spark.conform import Wanted, conform, wanted_by
from loom.adapters.spark.csv_files import read_csv
from loom.adapters.spark.errors import translated
from loom.adapters.spark.expressions import named, to_spark
from loom.adapters.spark.tables import ParquetTables
from loom.application.compile import Kinds
from loom.application.etl.files import FileFormat, FileSource
from loom.application.etl.from_table import TableSource
from loom.application.etl.locations import unpack
from loom.application.etl.plan import SourcePlan
from loom.application.etl.temp import TempSource
from loom.domain.expr import Root, bind_refs
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class Reading:
    """What a reader may use. ``folder`` is the run's own; ``step`` is the name of the reading step."""

    tables: ParquetTables
    folder: Path
    step: str

    @property
    def spark(self) -> SparkSession:
        """The session."""
        return self.tables.session.get()

    def temp(self, name: str) -> Path:
        """The folder of a temporary result."""
        return self.folder / "temp" / name


READERS: Final = Kinds[Callable[[Any, Reading], DataFrame]]("ETL source")


def read(source: SourcePlan, reading: Reading, params: object) -> DataFrame:
    """The selected rows and columns of a source, nothing of which has been read yet."""
    reader = READERS.of(source)
    if reader is None:
        raise TypeError(f"Spark cannot read a {type(source).__name__}")
    with translated(f"reading source {source.argument!r}"):
        frame = reader(source, reading)
        if source.predicate is not None:
            frame = frame.filter(to_spark(bind_refs(source.predicate, {Root.PARAMS: params})))
        return frame.select([named(name) for name in source.selected]) if source.selected else frame


def _table(source: TableSource, reading: Reading) -> DataFrame:
    frame = reading.tables.scan(source.table, reading.tables.require(source.table))
    if source.contract is None:
        return frame
    return conform(frame, wanted_by(source.contract), f"table {source.table!r}", extra=True)


def _temp(source: TempSource, reading: Reading) -> DataFrame:
    return reading.spark.read.parquet(str(reading.temp(source.name)))


def _file(source: FileSource, reading: Reading) -> DataFrame:
    path = Path(source.path)
    if source.archived:
        path = unpack(source.path, source.member, reading.folder / "unpacked" / reading.step / source.argument)
    wanted = wanted_by(source.contract) if source.contract else None
    frame = _FORMATS[source.format](path, source, wanted, reading.spark)
    return frame if wanted is None else conform(frame, wanted, f"file {source.path!r}", extra=True)


def _parquet(path: Path, source: FileSource, wanted: list[Wanted] | None, spark: SparkSession) -> DataFrame:
    return spark.read.parquet(str(path))


def _ndjson(path: Path, source: FileSource, wanted: list[Wanted] | None, spark: SparkSession) -> DataFrame:
    reader = spark.read.option("mode", "FAILFAST")
    found = reader.json(str(path))
    if wanted is None:
        return found
    # Asked for in the model's types: JSON writes dates and decimals as text.
    types = {each.name: each.type for each in wanted}
    fields = [T.StructField(name, types[name]) for name in found.columns if name in types]
    return reader.schema(T.StructType(fields)).json(str(path))


_FORMATS: Mapping[FileFormat, Callable[[Path, FileSource, list[Wanted] | None, SparkSession], DataFrame]] = {
    FileFormat.CSV: read_csv,
    FileFormat.PARQUET: _parquet,
    FileFormat.NDJSON: _ndjson,
}

READERS.register(TableSource, _table)
READERS.register(TempSource, _temp)
READERS.register(FileSource, _file)
