"""``ETLRunner``: compiles a pipeline for the configured engine, runs it, and records the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from loom.adapters.files.run_log import JsonLinesRunLog
from loom.adapters.memory.run_log import MemoryRunLog
from loom.adapters.system.clock import SystemClock
from loom.application.compile import Issues
from loom.application.etl.compile import compile_pipeline
from loom.application.etl.declare import ETLPipeline
from loom.application.etl.executor import EtlExecutor
from loom.application.etl.locations import local_folder
from loom.application.etl.plan import PipelinePlan, StepPlan
from loom.application.etl.progress import Progress
from loom.application.etl.settings import TableSettings
from loom.application.wiring import Resolver
from loom.domain.errors import CompileError
from loom.domain.frozen import frozen
from loom.ports.clock import Clock
from loom.ports.etl import EtlEngine, RunLog, RunReport, TableStore

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

P = TypeVar("P")
_RUNS = Path("_loom") / "runs"
_PORTS: Mapping[str, Any] = {"engine": EtlEngine, "clock": Clock}


@frozen(kw_only=True)
class ETLRunner:
    """Runs pipelines on one engine.

        with ETLRunner.from_yaml("config/etl.yaml") as runner:
            report = runner.run(DailyPipeline, DailyParams(run_date=date(2013, 1, 5)))

    Attributes:
        engine: what runs the steps.
        log: where runs are recorded; in memory unless something else is given.
        clock: gives the time at which a run started.
        parallel: how many independent steps may run at the same time.
    """

    engine: EtlEngine[StepPlan]
    log: RunLog = attrs.field(factory=MemoryRunLog)
    clock: Clock = attrs.field(factory=SystemClock)
    parallel: int = 4

    @classmethod
    def from_yaml(cls, *files: str | Path, overrides: Iterable[str] = ()) -> ETLRunner:
        """A runner on the engine that the configuration names; none gives Polars over ``./lake``.

        Runs are recorded in the lake, in ``_loom/runs``.

        Args:
            files: YAML files, merged left to right.
            overrides: ``section.key=value`` each.

        Raises:
            ConfigError: every fault of the configuration.
            MissingExtra: the engine's library is not installed.
        """
        # The container's library looks at every web framework that is installed: not for whoever declares a step.
        from loom.config.container import Container
        from loom.config.loading import load
        from loom.config.structure import structure

        return cls.of(Container(structure(load(*files, overrides=overrides))))

    @classmethod
    def of(cls, resolver: Resolver) -> ETLRunner:
        """A runner over what a resolver (the kernel, the container) gives.

        Raises:
            MissingExtra: the engine's library is not installed.
        """
        from loom.config.structure import Config

        chosen = resolver.resolve(Config).adapters["etl"]
        return cls(
            engine=resolver.resolve(_PORTS["engine"]),
            log=_run_log(getattr(chosen.settings, "tables", None)),
            clock=resolver.resolve(_PORTS["clock"]),
        )

    @classmethod
    def from_spark(
        cls, spark: SparkSession, *, tables: str = TableSettings().uri, files: Mapping[str, str] | None = None
    ) -> ETLRunner:
        """A runner on a Spark session that is already there; closing the runner does not stop it.

        Args:
            spark: the session, in ANSI mode.
            tables: the folder of the lake.
            files: aliases of files.

        Raises:
            EngineFailure: the session is not in ANSI mode.
        """
        from loom.adapters.spark.provide import from_spark
        from loom.adapters.spark.settings import SparkSettings

        settings = SparkSettings(tables=TableSettings(uri=tables), files=files or {})
        return cls(engine=from_spark(settings, spark), log=_run_log(settings.tables))

    @property
    def tables(self) -> TableStore:
        """The tables of the lake."""
        return self.engine.tables

    def plan(self, pipeline: type[ETLPipeline[Any]], *, include: Sequence[str] = ()) -> PipelinePlan:
        """Compile a pipeline against the lake as it is now. Nothing is read but names and schemas.

        Args:
            pipeline: the declaration.
            include: names of steps, processes, or ``Process.Step``; all where empty.

        Raises:
            CompileError: every fault of every step.
        """
        issues = Issues()
        plan = compile_pipeline(pipeline, issues, self.engine, include=include)
        if plan is None:
            raise CompileError(issues.found)
        return plan

    def run(
        self,
        pipeline: type[ETLPipeline[P]],
        params: P,
        *,
        include: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> RunReport:
        """Compile a pipeline and run it to its end. Blocks.

        Args:
            pipeline: the declaration.
            params: the parameters of this run.
            include: names of steps, processes, or ``Process.Step``: only these run, and what they read must be
                written by one of them or be there already.
            progress: receives an event when something starts or ends, from the calling thread.

        Raises:
            CompileError: every fault of every step; nothing was started or written.
            InvalidInput: the parameters are of another class than the pipeline's.
            StepFailed: a step failed; what it was to write is as it was before.
            EngineFailure: the engine does not start.
        """
        plan = self.plan(pipeline, include=include)
        executor = EtlExecutor(engine=self.engine, log=self.log, clock=self.clock, parallel=self.parallel)
        return executor.run(plan, params, progress)

    def close(self) -> None:
        """Let go of what the engine started."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _run_log(tables: TableSettings | None) -> RunLog:
    """The log in the lake; in memory for an engine of another distribution whose lake is no folder."""
    return JsonLinesRunLog(Path(local_folder(tables.uri)) / _RUNS) if tables is not None else MemoryRunLog()
