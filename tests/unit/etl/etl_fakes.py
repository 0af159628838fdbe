"""An engine without frames, for tests of what surrounds one: compiling, ordering, running, reporting."""

import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.etl.compile import compile_pipeline
from loom.application.etl.declare import ETLPipeline, ETLProcess
from loom.application.etl.frames import POLARS, PORTABLE
from loom.application.etl.params import ETLParams
from loom.application.etl.plan import PipelinePlan, StepPlan
from loom.domain.errors import Issue
from loom.domain.expr import Expr
from loom.domain.schema import Kind
from loom.ports.etl import StepOutcome, TableState

Work = Callable[[StepPlan, object], None]


@attrs.define
class FakeTables:
    """Tables that have columns and no rows."""

    columns: dict[str, Mapping[str, Kind | None]] = attrs.field(factory=dict)

    def names(self) -> Sequence[str]:
        return sorted(self.columns)

    def schema(self, table: str) -> Mapping[str, Kind | None] | None:
        return self.columns.get(table)

    def state(self, table: str) -> TableState | None:
        return TableState(version=0, rows=0, digest="") if table in self.columns else None

    def rows(
        self, table: str, *, columns: Sequence[str] = (), where: Expr | None = None
    ) -> Iterator[Mapping[str, object]]:
        return iter(())

    def append(
        self, table: str, rows: Sequence[Mapping[str, object]], *, model: type | None = None, once: str = ""
    ) -> None:
        raise AssertionError("nothing appends here")


@attrs.define
class FakeFiles:
    """Files by alias; a path is there where it is the path of an alias."""

    aliases: dict[str, str] = attrs.field(factory=dict)

    def names(self) -> Sequence[str]:
        return sorted(self.aliases)

    def locate(self, name: str) -> str:
        return self.aliases.get(name, name)

    def exists(self, name: str) -> bool:
        return self.locate(name) in self.aliases.values()


@attrs.define
class FakeEngine:
    """Runs ``work`` in the place of each step and keeps the order in which steps began."""

    tables: FakeTables = attrs.field(factory=FakeTables)
    files: FakeFiles = attrs.field(factory=FakeFiles)
    work: Work = lambda step, params: None
    name: str = "fake"
    frames: frozenset[str] = frozenset({POLARS, PORTABLE})
    began: list[str] = attrs.field(factory=list)
    open_runs: int = 0
    refuses: tuple[type, ...] = ()
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def supports(self, part: object) -> bool:
        return not isinstance(part, self.refuses)

    @contextmanager
    def begin(self, run_id: str) -> Iterator["FakeEngine"]:
        self.open_runs += 1
        try:
            yield self
        finally:
            self.open_runs -= 1

    def execute(self, step: StepPlan, params: object) -> StepOutcome:
        with self._lock:
            self.began.append(step.name)
        self.work(step, params)
        return StepOutcome(rows_in=1, rows_out=2)

    def close(self) -> None:
        pass


def pipeline(*steps: Any, params: type = ETLParams) -> type[ETLPipeline[Any]]:
    """A pipeline of one process ``Daily``."""
    process = _class("Daily", ETLProcess, params, steps=list(steps))
    found: type[ETLPipeline[Any]] = _class("Pipeline", ETLPipeline, params, processes=[process])
    return found


def compiled(declared: type[ETLPipeline[Any]], engine: FakeEngine | None = None, *include: str) -> PipelinePlan:
    """The plan of a pipeline without faults."""
    issues = Issues()
    plan = compile_pipeline(declared, issues, engine or FakeEngine(), include=include)
    issues.raise_if_any()
    assert plan is not None
    return plan


def faults(declared: type[ETLPipeline[Any]], engine: FakeEngine | None = None, *include: str) -> list[Issue]:
    """The issues of a pipeline that must have some."""
    issues = Issues()
    assert compile_pipeline(declared, issues, engine or FakeEngine(), include=include) is None
    return issues.found


def told(declared: type[ETLPipeline[Any]], engine: FakeEngine | None = None, *include: str) -> list[str]:
    """The issues as code, message and remedy."""
    return [f"{issue.code} {issue.message} | {issue.remedy}" for issue in faults(declared, engine, *include)]


def _class(name: str, base: Any, params: type, **attributes: object) -> Any:
    return types.new_class(name, (base[params],), exec_body=lambda body: body.update(attributes))
