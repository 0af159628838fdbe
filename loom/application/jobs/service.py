"""``JobService``: dispatches jobs by their type, and the handle by which their fate is asked."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs

from loom.application.jobs.declare import Job
from loom.application.usecase.invoker import ApplicationInvoker
from loom.application.usecase.plan import UseCasePlan
from loom.application.usecase.scope import SCOPED, Scope
from loom.domain.errors import DeadlineExceeded, FieldError, InvalidInput, StepFailed
from loom.domain.events import OutboxKind, OutboxRecord
from loom.domain.frozen import frozen
from loom.ports.jobs import JobState, JobStatus

if TYPE_CHECKING:
    # Only named in annotations: it would bring the compiler into the import of a public face.
    from loom.application.usecase.executor import Executor

R = TypeVar("R")
_POLL = 0.05


@frozen(kw_only=True)
class JobHandle(Generic[R]):
    """A job that was dispatched. ``id`` is its own from the moment of the dispatch."""

    id: uuid.UUID
    job: str
    _executor: Executor = attrs.field(alias="executor", repr=False, eq=False)
    _result: Any = attrs.field(alias="result", repr=False, eq=False)

    async def status(self) -> JobStatus:
        """What is known of the job; ``QUEUED`` as long as no worker has taken it."""
        found = await self._executor.persistence.job_statuses().get(self.id)
        return found or JobStatus(id=self.id, job=self.job, state=JobState.QUEUED)

    async def result(self, *, timeout: float) -> R:
        """Wait for the job to finish and return its result.

        Args:
            timeout: seconds to wait at most.

        Raises:
            StepFailed: the job failed for good; the text is that of its last attempt.
            DeadlineExceeded: it had not finished in time. It goes on.
        """
        waited = 0.0
        while True:
            status = await self.status()
            if status.state is JobState.FAILED:
                raise StepFailed(f"job {self.job} {self.id} failed after {status.attempts} attempts: {status.error}")
            if status.state is JobState.SUCCEEDED and status.result is not None:
                return cast("R", self._executor.codec.decode(status.result, self._result))
            if status.state is JobState.SUCCEEDED:
                raise StepFailed(f"job {self.job} {self.id} has finished, but its result was not recorded")
            if waited >= timeout:
                raise DeadlineExceeded(f"job {self.job} {self.id} is still {status.state} after {timeout:g} s")
            await self._executor.clock.sleep(_POLL)
            waited += _POLL


@frozen
class JobService:
    """Asked for in the constructor of a use case, a step or a handler.

    Inside a use case the dispatch is part of its transaction: the job is sent if and only if that commits. Elsewhere
    the dispatch is a transaction of its own.
    """

    _executor: Executor
    _scope: Scope | None = None

    async def dispatch(self, job: type[Job[R]], command: object = None) -> JobHandle[R]:
        """Record that a job is to run. It is sent after the commit, at least once, and runs in a worker.

        Args:
            job: its class.
            command: the value of its ``Input()`` parameter.

        Raises:
            InvalidInput: the command is not the one that the job takes.
            ScopeClosed: the use case that dispatches has ended, or is read-only.
        """
        plan = self._executor.plan(job)
        _check_command(plan, command)
        if self._scope is not None:
            record = _record(plan, command, self._scope)
            self._scope.add(record)
        else:
            async with self._executor.open_scope() as scope:
                record = _record(plan, command, scope)
                scope.add(record)
        result = type(None) if plan.result is None else plan.result
        return JobHandle(id=record.id, job=plan.name, executor=self._executor, result=result)

    async def run(self, job: type[Job[R]], command: object = None) -> R:
        """Run a job now, in this process, without the queue: no attempts, no status.

        Inside a use case it is a part of it, as whatever the ``ApplicationInvoker`` calls.

        Raises:
            LoomError: what the job raises.
        """
        if self._scope is not None:
            return await ApplicationInvoker(self._executor, self._scope).invoke(job, command)
        return await self._executor.invoke(job, command)


def _check_command(plan: UseCasePlan, command: object) -> None:
    wanted = plan.command or type(None)
    if not isinstance(command, wanted):
        name = plan.command.__name__ if plan.command else "no command"
        message = f"{plan.name} takes {name}, not {type(command).__name__}"
        raise InvalidInput([FieldError(path=(), message=message)], subject="command")


def _record(plan: UseCasePlan, command: object, scope: Scope) -> OutboxRecord:
    return OutboxRecord(
        id=uuid.uuid4(),
        kind=OutboxKind.JOB,
        destination=plan.name,
        type=type(command).__name__,
        key="",
        payload=scope.codec.encode(command),
        headers=scope.context.headers(),
        created_at=scope.clock.now(),
    )


SCOPED[JobService] = lambda scope, executor: JobService(executor, scope)
