"""Run a plan: steps in the order of their graph, independent ones at the same time, every one recorded."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import Any

import attrs

from loom.application.etl.params import params_text
from loom.application.etl.plan import PipelinePlan, StepPlan
from loom.application.etl.progress import Progress, RunFinished, RunStarted, StepFinished, StepStarted
from loom.domain.errors import FieldError, InvalidInput, LoomError, StepFailed
from loom.domain.frozen import frozen
from loom.ports.clock import Clock
from loom.ports.etl import EtlEngine, EtlRun, RunLog, RunReport, RunState, StepOutcome, StepReport


@frozen(kw_only=True)
class EtlExecutor:
    """Runs plans on one engine.

    Attributes:
        engine: what executes the steps.
        log: where runs are recorded.
        clock: gives the time at which a run started.
        parallel: how many steps may run at the same time.
    """

    engine: EtlEngine[StepPlan]
    log: RunLog
    clock: Clock
    parallel: int = 2

    def run(self, plan: PipelinePlan, params: object, progress: Progress | None = None) -> RunReport:
        """Run a plan to its end.

        Args:
            plan: a compiled pipeline.
            params: an instance of the plan's parameters.
            progress: receives an event when something starts or ends.

        Raises:
            InvalidInput: the parameters are of another class.
            StepFailed: a step failed. Steps under way are finished, no further one is started, and what the failed
                step was to write is as it was before.
        """
        if not isinstance(params, plan.params):
            found = type(params).__name__
            raise InvalidInput(
                [FieldError(path=(), message=f"{plan.name} runs with {plan.params.__name__}, not {found}")]
            )
        going = _Going(self, plan, params, progress or _silent)
        with self.engine.begin(going.report.run_id) as run:
            going.start()
            going.finish(run)
        return going.report


class _Going:
    """One run under way. Only the calling thread touches it; worker threads run steps and nothing else."""

    def __init__(self, executor: EtlExecutor, plan: PipelinePlan, params: object, progress: Progress) -> None:
        self._executor = executor
        self._steps = {step.name: step for step in plan.steps}
        self._params = params
        self._progress = progress
        self._began = time.perf_counter()
        self._done: dict[str, StepReport] = {}
        self._failure: tuple[StepPlan, BaseException] | None = None
        self.report = RunReport(
            run_id=uuid.uuid4().hex,
            pipeline=plan.name,
            engine=executor.engine.name,
            params=params_text(params),
            state=RunState.RUNNING,
            started_at=executor.clock.now(),
        )

    def start(self) -> None:
        self._executor.log.record(self.report)
        steps = tuple(self._steps)
        self._progress(RunStarted(run_id=self.report.run_id, pipeline=self.report.pipeline, steps=steps))

    def finish(self, run: EtlRun[StepPlan]) -> None:
        sorter = TopologicalSorter({name: step.after for name, step in self._steps.items()})
        sorter.prepare()
        with ThreadPoolExecutor(self._executor.parallel, thread_name_prefix="loom-etl") as pool:
            self._drive(run, sorter, pool)
        state = RunState.SUCCEEDED if self._failure is None else RunState.FAILED
        self._record(state)
        self._progress(RunFinished(report=self.report))
        if self._failure is not None:
            step, cause = self._failure
            raise _failed(step, cause) from cause

    def _drive(self, run: EtlRun[StepPlan], sorter: TopologicalSorter[str], pool: ThreadPoolExecutor) -> None:
        waiting: list[str] = []
        running: dict[Future[_Timed], StepPlan] = {}
        while running or (sorter.is_active() and self._failure is None):
            waiting += sorter.get_ready()
            # A step is handed over only when a thread is free, so that "started" is true and a failure stops the rest.
            while waiting and len(running) < self._executor.parallel and self._failure is None:
                step = self._steps[waiting.pop(0)]
                self._progress(StepStarted(run_id=self.report.run_id, step=step.name))
                running[pool.submit(_timed, run, step, self._params)] = step
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                self._settle(step, future.result())
                sorter.done(step.name)

    def _settle(self, step: StepPlan, timed: _Timed) -> None:
        cause = timed.cause
        report = StepReport(
            step=step.name,
            state=RunState.SUCCEEDED if cause is None else RunState.FAILED,
            seconds=timed.seconds,
            outcome=timed.outcome,
            error="" if cause is None else _told(cause),
        )
        if cause is not None and self._failure is None:
            self._failure = (step, cause)
        self._done[step.name] = report
        self._record(RunState.RUNNING)
        self._progress(StepFinished(run_id=self.report.run_id, report=report))

    def _record(self, state: RunState) -> None:
        pending = RunState.SKIPPED if self._failure else RunState.RUNNING
        steps: Mapping[str, StepReport] = {
            name: self._done.get(name, StepReport(step=name, state=pending)) for name in self._steps
        }
        known = steps.values() if state is not RunState.RUNNING else self._done.values()
        seconds = time.perf_counter() - self._began
        self.report = attrs.evolve(self.report, state=state, seconds=seconds, steps=tuple(known))
        self._executor.log.record(self.report)


@frozen
class _Timed:
    seconds: float
    outcome: StepOutcome | None = None
    cause: BaseException | None = None


def _timed(run: EtlRun[StepPlan], step: StepPlan, params: object) -> _Timed:
    began = time.perf_counter()
    try:
        outcome = run.execute(step, params)
    except Exception as error:  # noqa: BLE001 - whatever a step raises is its failure
        return _Timed(time.perf_counter() - began, cause=error)
    return _Timed(time.perf_counter() - began, outcome=outcome)


def _failed(step: StepPlan, cause: BaseException) -> StepFailed:
    where = f" ({step.place.file}:{step.place.line})" if step.place.file else ""
    message = f"step {step.name}{where} failed: {_told(cause)}"
    return StepFailed(message, remedy=f"what it was to write, {step.writes}, is as it was before")


def _told(cause: BaseException) -> str:
    # Our own errors say what they are; a vendor's or the user's need the name of their class.
    return str(cause) if isinstance(cause, LoomError) else f"{type(cause).__name__}: {cause}"


def _silent(event: Any) -> None:
    """Nobody listens."""
