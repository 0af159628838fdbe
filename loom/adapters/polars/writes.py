"""Write modes on Delta tables. Each registers here; a new mode is one more function."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import polars as pl
from deltalake import Transaction

from loom.adapters.polars.commit import GENERATION, Batch, Written, quoted
from loom.adapters.polars.errors import translated
from loom.application.compile import Kinds
from loom.application.etl.constants import plain
from loom.application.etl.writes import Append, Replace, ReplacePartition, ReplacePartitions, Upsert
from loom.domain.errors import BrokenContract
from loom.domain.expr import Literal, Root, bind_refs
from loom.domain.frozen import frozen

_ROWS: Final = "loom: rows"
"""The name of a count beside columns of the user's, which may have any other."""


@frozen(kw_only=True)
class Writing:
    """What a write mode may use besides the batch.

    Attributes:
        params: the parameters of the run.
        identity: what tells an append from others.
        stage: a file of the run's own, to keep rows that must be looked at before they are written.
    """

    params: object
    identity: str
    stage: Path


WRITERS: Final = Kinds[Callable[[Any, Batch, Writing], Written]]("write mode")


def _append(mode: Append, batch: Batch, writing: Writing) -> Written:
    return batch.append(writing.identity if mode.once else "")


def _replace(mode: Replace, batch: Batch, writing: Writing) -> Written:
    following = Transaction(app_id=GENERATION, version=batch.generation() + 1)
    return batch.commit("overwrite", transactions=[following])


def _replace_partition(mode: ReplacePartition, batch: Batch, writing: Writing) -> Written:
    values = {name: _value(bind_refs(value, {Root.PARAMS: writing.params})) for name, value in mode.values}
    frame = batch.guard.equal(batch.frame, values, batch.subject)
    batch = attrs.evolve(batch, frame=frame)
    return batch.commit("overwrite", predicate=_matching(values), layout=mode.partition_columns)


def _replace_partitions(mode: ReplacePartitions, batch: Batch, writing: Writing) -> Written:
    if batch.stored is None:
        return batch.commit("overwrite", layout=mode.columns)
    batch = _staged(batch, writing)
    partitions = batch.frame.select(mode.columns).unique().collect().to_dicts()
    if not partitions:
        return batch.unchanged("no rows, so no partition was replaced")
    predicate = " OR ".join(f"({_matching(values)})" for values in partitions)
    return batch.commit("overwrite", predicate=predicate, layout=mode.columns)


def _upsert(mode: Upsert, batch: Batch, writing: Writing) -> Written:
    batch = _staged(batch, writing)
    keys = [pl.col(key) for key in mode.keys]
    counted = batch.frame.select(*(key.null_count() for key in keys), pl.len().alias(_ROWS)).collect()
    nulls = counted.row(0, named=True)
    if not nulls.pop(_ROWS) and batch.stored is not None:
        return batch.unchanged("no rows, so nothing was changed")
    faults = [f"{count} rows have no {name!r}" for name, count in nulls.items() if count]
    again = batch.frame.group_by(keys).len(_ROWS).filter(pl.col(_ROWS) > 1).sort(keys).collect()
    faults += [f"{_told(row)} stands in {row[_ROWS]} rows" for row in again.head(5).to_dicts()]
    if len(again) > 5:
        faults.append(f"and {len(again) - 5} further keys stand in several rows")
    if faults:
        remedy = f"make {', '.join(mode.keys)} unique and not null before; nothing was written"
        raise BrokenContract(f"{batch.subject} cannot be upserted: {'; '.join(faults)}", remedy=remedy)
    return batch.merge(mode.keys)


def _staged(batch: Batch, writing: Writing) -> Batch:
    """The batch with its rows kept in a file: they are looked at before they are written, but computed once."""
    with translated(f"writing {batch.subject}"), batch.guard.watching():
        batch.frame.sink_parquet(writing.stage, mkdir=True)
    return attrs.evolve(batch, frame=pl.scan_parquet(writing.stage))


def _value(bound: Any) -> object:
    if not isinstance(bound, Literal):
        raise TypeError(f"{bound!r} is not a constant")
    return plain(bound.value)


def _told(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in row.items() if name != _ROWS)


def _matching(values: Mapping[str, object]) -> str:
    return " AND ".join(
        f"{quoted(name)} IS NULL" if value is None else f"{quoted(name)} = {_sql(value)}"
        for name, value in values.items()
    )


def _sql(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return f"'{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"
    if isinstance(value, dt.date):
        return f"'{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


WRITERS.register(Append, _append)
WRITERS.register(Replace, _replace)
WRITERS.register(ReplacePartition, _replace_partition)
WRITERS.register(ReplacePartitions, _replace_partitions)
WRITERS.register(Upsert, _upsert)
