"""The Spark engine: a step's frames are lazy from the scan to the commit."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from pyspark.sql import DataFrame

from loom.adapters.spark.errors import translated
from loom.adapters.spark.readers import READERS, Reading, read
from loom.adapters.spark.tables import INTERNAL, ParquetTables
from loom.adapters.spark.targets import TARGET_WRITERS, Delivery
from loom.adapters.spark.writes import WRITERS
from loom.application.etl.conflicts import retrying
from loom.application.etl.frames import PORTABLE, SPARK, FrameKind
from loom.application.etl.from_table import TableSource
from loom.application.etl.into_table import TableTarget
from loom.application.etl.locations import LocalFiles
from loom.application.etl.plan import SourcePlan, StepPlan
from loom.domain.errors import StepFailed
from loom.domain.frozen import frozen
from loom.ports.etl import StepOutcome


@frozen(kw_only=True)
class SparkEngine:
    """Runs steps over one lake on one Spark session."""

    tables: ParquetTables
    files: LocalFiles
    conflict_retries: int = 5
    name: str = "spark"
    frames: frozenset[str] = frozenset({SPARK, PORTABLE})

    def supports(self, part: object) -> bool:
        """Whether a reader or writer is registered for the plan of a source or target, and for its write mode."""
        if isinstance(part, TableTarget) and WRITERS.of(part.mode) is None:
            return False
        return READERS.of(part) is not None or TARGET_WRITERS.of(part) is not None

    @contextmanager
    def begin(self, run_id: str) -> Iterator[SparkRun]:
        """Open a run, whose temporary results lie in the lake until it is left.

        Raises:
            EngineFailure: Spark cannot be started.
        """
        self.tables.session.get()
        folder = self.tables.folder / INTERNAL / "temp" / run_id
        try:
            yield SparkRun(self, Reading(tables=self.tables, folder=folder, step=""))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Stop the session where this engine started it."""
        self.tables.session.close()


class SparkRun:
    """One run. Safe to use from several threads: steps share no state but the session and the lake."""

    def __init__(self, engine: SparkEngine, reading: Reading) -> None:
        self._engine = engine
        self._reading = reading

    def execute(self, step: StepPlan, params: object) -> StepOutcome:
        """Run one step; one that met another writer reads and computes again."""
        return retrying(lambda: self._attempt(step, params), self._engine.conflict_retries)

    def _attempt(self, step: StepPlan, params: object) -> StepOutcome:
        reading = attrs.evolve(self._reading, step=step.name)
        counts = [self._count(source) for source in step.sources]
        frames = {source.argument: read(source, reading, params) for source in step.sources}
        with translated(f"execute() of {step.step.__name__}"):
            frame = _call(step, params, frames)
        write = TARGET_WRITERS.of(step.target)
        if write is None:
            raise TypeError(f"Spark cannot write a {type(step.target).__name__}")
        outcome = write(step.target, Delivery(step=step, params=params, frame=frame, reading=reading))
        known = [count for count in counts if count is not None]
        return attrs.evolve(outcome, rows_in=sum(known) if len(known) == len(counts) else None)

    def _count(self, source: SourcePlan) -> int | None:
        if isinstance(source, TableSource) and source.predicate is None:
            return self._engine.tables.require(source.table).rows
        # Anything else would be one more job over the same data.
        return None


def _call(step: StepPlan, params: object, frames: dict[str, DataFrame]) -> DataFrame:
    wrap, unwrap = _FRAMES[step.frame.name](step.frame)
    arguments = {name: wrap(frame) for name, frame in frames.items()}
    execute: Any = step.step().execute
    result = unwrap(execute(params, **arguments) if step.takes_params else execute(**arguments))
    if not isinstance(result, DataFrame):
        found = type(result).__name__
        raise StepFailed(f"execute() returned {found}, not the lazy frame that its annotation says")
    return result


_Wrapping = tuple[Callable[[DataFrame], Any], Callable[[Any], Any]]


def _native(frame: FrameKind) -> _Wrapping:
    return (lambda each: each), (lambda result: result)


def _portable(frame: FrameKind) -> _Wrapping:
    narwhals = importlib.import_module(frame.api)
    return narwhals.from_native, lambda result: narwhals.to_native(result, pass_through=True)


_FRAMES: dict[str, Callable[[FrameKind], _Wrapping]] = {SPARK: _native, PORTABLE: _portable}
