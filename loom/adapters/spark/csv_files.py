"""CSV files: read by Spark in types that are given, or that all values of the file have."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as T  # noqa: N812

from loom.adapters.spark.conform import Wanted
from loom.adapters.spark.expressions import named
from loom.adapters.spark.types import type_of
from loom.application.etl.files import FileSource
from loom.application.etl.text import INFERRED, inferred_kind
from loom.domain.errors import BrokenContract
from loom.domain.schema import Kind, LogicalType

_EMPTY = "\x00"
"""What a quoted empty value is read as, so that it can be told from a value that is missing."""
_BLOCK = 1 << 22


def read_csv(path: Path, source: FileSource, wanted: list[Wanted] | None, spark: SparkSession) -> DataFrame:
    """The rows of a file with a header line.

    Args:
        path: the file, on this machine.
        source: separator and null values.
        wanted: the types of columns that a model names; the other columns are text. Without it, all are inferred.
        spark: the session.
    """
    names = _header(path, source)
    types = _inferred(path, source, names) if wanted is None else {each.name: each.type for each in wanted}
    fields = [T.StructField(name, types.get(name, T.StringType())) for name in names]
    # Only one null value can be left to the reader, which then has no other text to read as a number.
    direct = len(source.null_values) <= 1
    schema = T.StructType(fields if direct else [T.StructField(name, T.StringType()) for name in names])
    reader = spark.read.schema(schema).option("header", True).option("sep", source.separator).option("escape", '"')
    # A line break inside quotes belongs to the value, at the price of reading one file on one machine.
    reader = reader.option("multiLine", True).option("mode", "FAILFAST").option("emptyValue", _EMPTY)
    if direct and source.null_values:
        reader = reader.option("nullValue", source.null_values[0])
    nulls = () if direct else source.null_values
    return reader.csv(str(path)).select([_value(field, nulls).alias(field.name) for field in fields])


def _value(field: T.StructField, nulls: tuple[str, ...]) -> Column:
    column = named(field.name)
    if nulls:
        column = F.when(~column.isin(list(nulls)), column)
    if isinstance(field.dataType, T.StringType):
        return F.when(column == _EMPTY, F.lit("")).otherwise(column)
    return column.cast(field.dataType) if nulls else column


def _header(path: Path, source: FileSource) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=source.separator), [])
    if not names:
        raise BrokenContract(f"file {source.path!r} has no header line")
    return names


def _inferred(path: Path, source: FileSource, names: list[str]) -> dict[str, T.DataType]:
    """The type of each column, from all its values: a sample would miss the one that differs."""
    fits: dict[str, dict[Kind, bool | None]] = {name: dict.fromkeys(INFERRED) for name in names}
    for batch in _texts(path, source, names):
        for name, found in fits.items():
            for kind, pattern in INFERRED.items():
                if found[kind] is not False:
                    # Null where the batch holds no value, which says nothing.
                    matches = pc.all(pc.match_substring_regex(batch[name], pattern)).as_py()
                    found[kind] = matches if matches is not None else found[kind]
    return {name: _type(found) for name, found in fits.items()}


def _type(found: Mapping[Kind, bool | None]) -> T.DataType:
    kind = inferred_kind({kind: matches is True for kind, matches in found.items()})
    return type_of(LogicalType(kind=kind, python=None))


def _texts(path: Path, source: FileSource, names: list[str]) -> Iterator[pa.RecordBatch]:
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=["", *source.null_values],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pyarrow.csv.ParseOptions(delimiter=source.separator, newlines_in_values=True)
    try:
        yield from pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK),
            parse_options=parse,
            convert_options=convert,
        )
    except pa.ArrowInvalid as error:
        raise BrokenContract(f"file {source.path!r} cannot be read: {error}") from error
