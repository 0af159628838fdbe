"""How sources are read, lazily. Each kind of source registers here; a new kind is one more function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from loom.adapters.spark.conform import Wanted, conform, wanted_by
from loom.adapters.spark.errors import translated
from loom.adapters.spark.expressions import named, to_spark
from loom.adapters.spark.tables import ParquetTables
from loom.adapters.spark.types import type_of
from loom.application.compile import Kinds
from loom.application.etl.files import FileFormat, FileSource
from loom.application.etl.from_table import TableSource
from loom.application.etl.locations import unpack
from loom.application.etl.plan import SourcePlan
from loom.application.etl.temp import TempSource
from loom.application.etl.text import INFERRED, inferred_kind
from loom.domain.expr import Root, bind_refs
from loom.domain.schema import LogicalType

_EMPTY = "\x00"
"""What a quoted empty value is read as, so that it can be told from a value that is missing."""


@attrs.frozen(kw_only=True)
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


def _csv(path: Path, source: FileSource, wanted: list[Wanted] | None, spark: SparkSession) -> DataFrame:
    texts = _texts(path, source, spark)
    types = _inferred(texts) if wanted is None else {each.name: each.type for each in wanted}
    return texts.select([named(name).cast(types.get(name, T.StringType())).alias(name) for name in texts.columns])


def _texts(path: Path, source: FileSource, spark: SparkSession) -> DataFrame:
    """The file with every value as text or null."""
    reader = spark.read.option("header", True).option("sep", source.separator).option("escape", '"')
    # A line break inside quotes belongs to the value, at the price of reading one file on one machine.
    frame = reader.option("multiLine", True).option("mode", "FAILFAST").option("emptyValue", _EMPTY).csv(str(path))
    return frame.select([_text(name, source.null_values).alias(name) for name in frame.columns])


def _text(name: str, null_values: tuple[str, ...]) -> Column:
    column = F.when(named(name) == _EMPTY, F.lit("")).otherwise(named(name))
    return F.when(~named(name).isin(list(null_values)), column) if null_values else column


def _inferred(texts: DataFrame) -> dict[str, T.DataType]:
    """The type of each column, from all its values: a sample would miss the one that differs."""
    fits = [
        F.coalesce(F.bool_and(named(name).rlike(pattern)), F.lit(False))
        for name in texts.columns
        for pattern in INFERRED.values()
    ]
    found = iter(texts.agg(*fits).first() or ())
    kinds = {name: inferred_kind({kind: next(found) for kind in INFERRED}) for name in texts.columns}
    return {name: type_of(LogicalType(kind=kind, python=None)) for name, kind in kinds.items()}


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
    FileFormat.CSV: _csv,
    FileFormat.PARQUET: _parquet,
    FileFormat.NDJSON: _ndjson,
}

READERS.register(TableSource, _table)
READERS.register(TempSource, _temp)
READERS.register(FileSource, _file)
