"""Write modes on Parquet tables. Each registers here; a new mode is one more function."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Final

import attrs
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from loom.adapters.spark.commit import Batch, Written
from loom.adapters.spark.conform import equal
from loom.adapters.spark.errors import translated
from loom.adapters.spark.expressions import constant, named
from loom.adapters.spark.manifest import Part
from loom.application.compile import Kinds
from loom.application.etl.constants import plain
from loom.application.etl.writes import Append, Replace, ReplacePartition, ReplacePartitions, Upsert
from loom.domain.errors import BrokenContract
from loom.domain.expr import Literal, Root, bind_refs
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class Writing:
    """What a write mode may use besides the batch.

    Attributes:
        spark: the session.
        params: the parameters of the run.
        identity: what tells an append from others.
        stage: a folder of the run's own, to keep rows that must be looked at before they are written.
    """

    spark: SparkSession
    params: object
    identity: str
    stage: Path


WRITERS: Final = Kinds[Callable[[Any, Batch, Writing], Written]]("write mode")


def _append(mode: Append, batch: Batch, writing: Writing) -> Written:
    return batch.append(writing.identity if mode.once else "")


def _replace(mode: Replace, batch: Batch, writing: Writing) -> Written:
    return batch.replace()


def _replace_partition(mode: ReplacePartition, batch: Batch, writing: Writing) -> Written:
    values = {name: _value(bind_refs(value, {Root.PARAMS: writing.params})) for name, value in mode.values}
    batch = attrs.evolve(batch, frame=equal(batch.frame, values, batch.subject))
    if _laid_out(batch, mode.partition_columns):
        texts = {name: _text(value) for name, value in values.items()}
        kept = [part for part in batch.parts if part.values != texts]
        return batch.commit(kept, batch.layout or mode.partition_columns)
    return _rewrite(batch, batch.old().filter(~_all(named(name).eqNullSafe(constant(values[name])) for name in values)))


def _replace_partitions(mode: ReplacePartitions, batch: Batch, writing: Writing) -> Written:
    if _laid_out(batch, mode.columns):
        layout = batch.layout or mode.columns
        new, parts = batch.write(layout)
        if batch.stored is not None and not any(part.rows for part in parts):
            batch.discard(new)
            return batch.unchanged("no rows, so no partition was replaced")
        replaced = {part.partition for part in parts}
        kept: list[Part] = [part for part in batch.parts if part.partition not in replaced]
        return batch.publish(new, (*kept, *parts), layout)
    batch = _staged(batch, writing)
    return _rewrite(batch, _without(batch.old(), batch.frame.select([named(name) for name in mode.columns])))


def _upsert(mode: Upsert, batch: Batch, writing: Writing) -> Written:
    batch = _staged(batch, writing)
    keys = [named(key) for key in mode.keys]
    nulls = batch.frame.select([F.count_if(key.isNull()) for key in keys]).first() or ()
    faults = [f"{count} rows have no {name!r}" for name, count in zip(mode.keys, nulls, strict=True) if count]
    again = batch.frame.groupBy(keys).agg(F.count(F.lit(1)).alias("times")).filter("times > 1")
    shown = again.orderBy(keys).limit(5).collect()
    faults += [f"{_told(row.asDict())} stands in {row['times']} rows" for row in shown]
    if len(shown) == 5 and (more := again.count() - 5):
        faults.append(f"and {more} further keys stand in several rows")
    if faults:
        remedy = f"make {', '.join(mode.keys)} unique and not null before; nothing was written"
        raise BrokenContract(f"{batch.subject} cannot be upserted: {'; '.join(faults)}", remedy=remedy)
    if batch.stored is None:
        return batch.commit((), ())
    rows = batch.frame.count()
    written = _rewrite(batch, _without(batch.old(), batch.frame.select(keys)))
    return attrs.evolve(written, rows=rows)


def _laid_out(batch: Batch, columns: Sequence[str]) -> bool:
    """Whether the data of a partition lies in folders of its own, so that it can be left out of a version."""
    return batch.stored is None or set(batch.layout) == set(columns)


def _rewrite(batch: Batch, kept: DataFrame) -> Written:
    """Write the kept rows anew, together with those of the batch."""
    whole = attrs.evolve(batch, frame=kept.unionByName(batch.frame))
    return whole.commit((), batch.layout)


def _without(old: DataFrame, keys: DataFrame) -> DataFrame:
    """The rows that have none of the keys; null is equal to null."""
    new = keys.distinct().toDF(*(f"loom_key_{number}" for number in range(len(keys.columns))))
    same = _all(named(name).eqNullSafe(named(other)) for name, other in zip(keys.columns, new.columns, strict=True))
    return old.join(new, same, "left_anti")


def _all(conditions: Iterable[Column]) -> Column:
    return reduce(Column.__and__, conditions)


def _staged(batch: Batch, writing: Writing) -> Batch:
    """The batch with its rows kept in files: they are looked at before they are written, but computed once."""
    with translated(f"writing {batch.subject}"):
        batch.frame.write.parquet(str(writing.stage))
        return attrs.evolve(batch, frame=writing.spark.read.schema(batch.frame.schema).parquet(str(writing.stage)))


def _value(bound: Any) -> object:
    if not isinstance(bound, Literal):
        raise TypeError(f"{bound!r} is not a constant")
    return plain(bound.value)


def _told(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in row.items() if name != "times")


def _text(value: object) -> str | None:
    """A partition's value as it stands in the path."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".")
    return str(value)


WRITERS.register(Append, _append)
WRITERS.register(Replace, _replace)
WRITERS.register(ReplacePartition, _replace_partition)
WRITERS.register(ReplacePartitions, _replace_partitions)
WRITERS.register(Upsert, _upsert)
