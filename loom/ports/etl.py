"""Protocols of ETL: the engine that runs steps, the tables and files that it reads, and the log of runs.

What an engine runs is the application's affair, so the engine is generic over the plan of a step.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from loom.domain.expr import Expr
from loom.domain.frozen import frozen
from loom.domain.schema import Kind

StepT_contra = TypeVar("StepT_contra", contravariant=True)


class RunState(enum.StrEnum):
    """The states of a run and of its steps. ``SKIPPED`` is for steps that a failure kept from starting."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class TableState:
    """What a table holds at one version.

    Attributes:
        version: counts the commits of the table, from 0.
        rows: how many rows there are.
        digest: a fingerprint of all rows and columns that does not depend on row order. Two states of one store have
            equal digests if their rows are equal; digests of different engines or library versions do not compare.
    """

    version: int
    rows: int
    digest: str


@frozen(kw_only=True)
class StepOutcome:
    """What an engine did for one step.

    Attributes:
        rows_in: rows of all sources after their predicates; ``None`` where counting would read a source twice.
        rows_out: rows written.
        bytes_out: bytes written, as stored; ``None`` where the target does not tell.
        version: version of the table that was written; ``None`` for other targets.
        note: what is worth telling, such as that there was nothing to do.
    """

    rows_in: int | None
    rows_out: int
    bytes_out: int | None = None
    version: int | None = None
    note: str = ""


@frozen(kw_only=True)
class StepReport:
    """One step of one run. ``seconds`` is how long it took; ``error`` is the message of its failure."""

    step: str
    state: RunState
    seconds: float = 0.0
    outcome: StepOutcome | None = None
    error: str = ""


@frozen(kw_only=True)
class RunReport:
    """One run of a pipeline, as far as it has come. ``params`` are the parameters as text."""

    run_id: str
    pipeline: str
    engine: str
    params: Mapping[str, str]
    state: RunState
    started_at: dt.datetime
    seconds: float = 0.0
    steps: tuple[StepReport, ...] = ()


class TableStore(Protocol):
    """Protocol of a lake: named tables, each with versions. A commit is atomic; readers see whole versions."""

    def names(self) -> Sequence[str]:
        """Names of all tables, sorted."""

    def schema(self, table: str) -> Mapping[str, Kind | None] | None:
        """The columns of a table and their kinds (``None`` for a type that has no kind), or ``None`` without it."""

    def state(self, table: str) -> TableState | None:
        """The present state of a table, or ``None`` where there is no such table. Reads all rows once."""

    def rows(
        self, table: str, *, columns: Sequence[str] = (), where: Expr | None = None
    ) -> Iterator[Mapping[str, object]]:
        """The rows of a table as plain values (aware UTC datetimes), batch by batch and in no order.

        Args:
            table: name of the table.
            columns: which columns to read; all where empty.
            where: a predicate over columns alone.

        Raises:
            NotFound: there is no such table.
        """

    def append(
        self, table: str, rows: Sequence[Mapping[str, object]], *, model: type | None = None, once: str = ""
    ) -> None:
        """Add rows in one commit; the table is made from the first rows where it does not exist.

        Args:
            table: name of the table.
            rows: plain values, one mapping a row, all with the same keys; nothing happens where there are none.
            model: an entity or attrs class whose columns and types the rows must keep.
            once: identity of this batch; a batch whose identity the table has seen is not written again.

        Raises:
            BrokenContract: the rows do not fit the table's columns.
        """


class FileCatalog(Protocol):
    """Protocol of the files that a deployment knows by alias or path."""

    def names(self) -> Sequence[str]:
        """All aliases, sorted."""

    def locate(self, name: str) -> str:
        """The path of an alias; any other name is a path itself."""

    def exists(self, name: str) -> bool:
        """Whether the file of an alias or path can be read now."""


class EtlRun(Protocol[StepT_contra]):
    """Protocol of one run inside an engine. Safe to use from several threads, one step each."""

    def execute(self, step: StepT_contra, params: object) -> StepOutcome:
        """Read the sources of a step, call it, and write its target in one atomic commit.

        Raises:
            BrokenContract: the rows do not keep the contract of the target; nothing was written.
            EngineFailure: the engine or the store failed; nothing was written.
            Exception: whatever the step itself raised; nothing was written.
        """


class EtlEngine(Protocol[StepT_contra]):
    """Protocol of an ETL engine."""

    @property
    def name(self) -> str:
        """The adapter's name, for messages."""

    @property
    def frames(self) -> frozenset[str]:
        """Names of the frame annotations that steps may have on this engine."""

    def supports(self, part: object) -> bool:
        """Whether the engine can read or write what the plan of a source or target says."""

    @property
    def tables(self) -> TableStore:
        """The tables of this engine's lake."""

    @property
    def files(self) -> FileCatalog:
        """The files of this deployment."""

    def begin(self, run_id: str) -> AbstractContextManager[EtlRun[StepT_contra]]:
        """Open a run. What its steps kept in temporary places is gone when the run is left."""

    def close(self) -> None:
        """Let go of what the engine itself started."""


class RunLog(Protocol):
    """Protocol of the record of runs."""

    def record(self, report: RunReport) -> None:
        """Keep the newest report of a run; called when it starts, after each step, and when it ends."""

    def runs(self, *, limit: int = 20) -> Sequence[RunReport]:
        """The newest report of each run, latest start first."""
