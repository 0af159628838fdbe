"""The Polars engine: a step's frames are lazy from the scan to the commit."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import polars as pl

from loom.adapters.polars.errors import translated
from loom.adapters.polars.readers import READERS, Reading, read
from loom.adapters.polars.tables import INTERNAL, DeltaTables
from loom.adapters.polars.targets import TARGET_WRITERS, Delivery
from loom.adapters.polars.writes import WRITERS
from loom.application.etl.conflicts import retrying
from loom.application.etl.frames import POLARS, PORTABLE, FrameKind
from loom.application.etl.from_table import TableSource
from loom.application.etl.into_table import TableTarget
from loom.application.etl.locations import LocalFiles
from loom.application.etl.plan import SourcePlan, StepPlan
from loom.domain.errors import StepFailed
from loom.domain.frozen import frozen
from loom.ports.etl import StepOutcome


@frozen(kw_only=True)
class PolarsEngine:
    """Runs steps over one lake in this process."""

    tables: DeltaTables
    files: LocalFiles
    conflict_retries: int = 5
    name: str = "polars"
    frames: frozenset[str] = frozenset({POLARS, PORTABLE})

    def supports(self, part: object) -> bool:
        """Whether a reader or writer is registered for the plan of a source or target, and for its write mode."""
        if isinstance(part, TableTarget) and WRITERS.of(part.mode) is None:
            return False
        return READERS.of(part) is not None or TARGET_WRITERS.of(part) is not None

    @contextmanager
    def begin(self, run_id: str) -> Iterator[PolarsRun]:
        """Open a run, whose temporary results lie in the lake until it is left."""
        folder = self.tables.folder / INTERNAL / "temp" / run_id
        try:
            yield PolarsRun(self, Reading(tables=self.tables, folder=folder, step=""))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Nothing was started."""


class PolarsRun:
    """One run. Safe to use from several threads: steps share no state but the lake."""

    def __init__(self, engine: PolarsEngine, reading: Reading) -> None:
        self._engine = engine
        self._reading = reading

    def execute(self, step: StepPlan, params: object) -> StepOutcome:
        """Run one step; one that met another writer reads and computes again."""
        return retrying(lambda: self._attempt(step, params), self._engine.conflict_retries)

    def _attempt(self, step: StepPlan, params: object) -> StepOutcome:
        reading = attrs.evolve(self._reading, step=step.name)
        sources = [(source, read(source, reading, params)) for source in step.sources]
        frame = _call(step, params, {source.argument: frame for source, frame in sources})
        write = TARGET_WRITERS.of(step.target)
        if write is None:
            raise TypeError(f"Polars cannot write a {type(step.target).__name__}")
        # Before the write, which may change what was read.
        rows_in = sum(self._count(source, frame) for source, frame in sources)
        outcome = write(step.target, Delivery(step=step, params=params, frame=frame, reading=reading))
        return attrs.evolve(outcome, rows_in=rows_in)

    def _count(self, source: SourcePlan, frame: pl.LazyFrame) -> int:
        if isinstance(source, TableSource) and source.predicate is None:
            return int(self._engine.tables.require(source.table).count())
        # Reads no column, or those of the predicate alone.
        with translated(f"counting source {source.argument!r}"):
            return int(frame.select(pl.len()).collect().item())


def _call(step: StepPlan, params: object, frames: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    wrap, unwrap = _FRAMES[step.frame.name](step.frame)
    arguments = {name: wrap(frame) for name, frame in frames.items()}
    execute = step.step().execute
    result = unwrap(execute(params, **arguments) if step.takes_params else execute(**arguments))
    if not isinstance(result, pl.LazyFrame):
        found = type(result).__name__
        raise StepFailed(f"execute() returned {found}, not the lazy frame that its annotation says")
    return result


_Wrapping = tuple[Callable[[pl.LazyFrame], Any], Callable[[Any], Any]]


def _native(frame: FrameKind) -> _Wrapping:
    return (lambda each: each), (lambda result: result)


def _portable(frame: FrameKind) -> _Wrapping:
    narwhals = importlib.import_module(frame.api)
    return narwhals.from_native, lambda result: narwhals.to_native(result, pass_through=True)


_FRAMES: dict[str, Callable[[FrameKind], _Wrapping]] = {POLARS: _native, PORTABLE: _portable}
