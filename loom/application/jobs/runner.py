"""``JobWorker``: what a queue calls for each message. It runs the job once, whatever the queue does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import attrs

from loom.application.jobs.declare import Delivery
from loom.application.jobs.plan import JobPlan
from loom.application.jobs.retry import next_delay
from loom.application.usecase.executor import Executor
from loom.application.usecase.scope import Scope
from loom.domain.context import Context
from loom.domain.errors import DeadlineExceeded, LoomError, NotFound
from loom.ports.jobs import JobMessage, JobQueue, JobState, JobStatus

log = logging.getLogger("loom.jobs")


class _Finished(Exception):
    """The inbox says that the job has finished before."""


@attrs.define(eq=False, repr=False)
class JobWorker:
    """The ``JobRunner`` of the port, over an executor.

    An inbox record with the job's id is written in the job's own transaction. A message that is delivered again after
    that has committed answers ``SUCCEEDED`` and runs nothing; after a crash before that it runs again, because nothing
    of it was kept.

    Args:
        executor: runs jobs, each in a scope of its own, with the correlation of the one who dispatched.
        plans: the jobs of this deployment by name.
        queue: takes the next attempt of a job that failed.
    """

    executor: Executor
    plans: Mapping[str, JobPlan]
    queue: JobQueue

    async def __call__(self, message: JobMessage) -> JobStatus:
        """Run one attempt and record what came of it.

        Raises:
            LoomError: the store or the queue does not answer; nothing of the job was done, or it is recorded, so the
                message is to be delivered again.
        """
        known = await self.executor.persistence.job_statuses().get(message.id)
        if known is not None and known.state is JobState.SUCCEEDED:
            return known
        plan = self.plans.get(message.job)
        if plan is None:
            return await self._failed(message, NotFound("job", message.job))
        if plan.delivery is Delivery.AT_MOST_ONCE and not await self._claim_first(plan, message):
            return await self._interrupted(message, known)
        await self._record(message, JobState.RUNNING)
        attempt = _Attempt(self.executor, plan, message)
        try:
            result = await attempt.run()
        except _Finished:
            return await self._finished(message)
        except BaseException as error:  # whatever a job raises is its own failure, sys.exit() and a stray cancel too
            if (not attempt.begun and isinstance(error, LoomError)) or _is_ours(error):
                raise
            return await self._failed(message, error)
        return await self._record(message, JobState.SUCCEEDED, result=self._encoded(message, result))

    async def _claim_first(self, plan: JobPlan, message: JobMessage) -> bool:
        async with self.executor.open_scope(Context.from_headers(message.headers)) as scope:
            return await _claim(scope, plan, message)

    async def _finished(self, message: JobMessage) -> JobStatus:
        # Another delivery ran it meanwhile, and has recorded the result unless it was killed just then.
        known = await self.executor.persistence.job_statuses().get(message.id)
        if known is not None and known.state is JobState.SUCCEEDED:
            return known
        return await self._record(message, JobState.SUCCEEDED)

    async def _interrupted(self, message: JobMessage, known: JobStatus | None) -> JobStatus:
        if known is not None and known.state is JobState.FAILED:
            return known
        text = "it was begun before and did not finish; at_most_once does not let it run again"
        log.error("job %s %s: %s", message.job, message.id, text)
        return await self._record(message, JobState.FAILED, error=text)

    async def _failed(self, message: JobMessage, error: BaseException) -> JobStatus:
        delay = next_delay(error, attempt=message.attempt, retries=message.retries)
        text = str(error) if isinstance(error, LoomError) else f"{type(error).__name__}: {error}"
        if delay is None:
            log.error("job %s %s failed for good: %s", message.job, message.id, text, exc_info=error)
            return await self._record(message, JobState.FAILED, error=text)
        log.warning("job %s %s failed, next attempt in %g s: %s", message.job, message.id, delay, text)
        status = await self._record(message, JobState.QUEUED, error=text)
        await self.queue.enqueue(attrs.evolve(message, attempt=message.attempt + 1, countdown=delay))
        return status

    async def _record(
        self, message: JobMessage, state: JobState, *, result: bytes | None = None, error: str | None = None
    ) -> JobStatus:
        status = JobStatus(
            id=message.id,
            job=message.job,
            state=state,
            attempts=message.attempt,
            result=result,
            error=error,
            updated_at=self.executor.clock.now(),
        )
        await self.executor.persistence.job_statuses().put(status)
        return status

    def _encoded(self, message: JobMessage, result: object) -> bytes | None:
        try:
            return self.executor.codec.encode(result)
        except TypeError as error:
            # Its transaction has committed: a result that nobody can read does not make it a failure.
            log.warning("the result of job %s %s cannot be recorded: %s", message.job, message.id, error)
            return None


def _is_ours(error: BaseException) -> bool:
    """Whether somebody ends the attempt from outside: only then its task is being cancelled."""
    if isinstance(error, GeneratorExit):
        return True
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


@attrs.define(eq=False, repr=False)
class _Attempt:
    """One attempt. ``begun`` tells a store that was never reached from a job that failed."""

    executor: Executor
    plan: JobPlan
    message: JobMessage
    begun: bool = False

    async def run(self) -> Any:
        limit = self.message.timeout or self.plan.timeout
        command = self._command()
        try:
            async with asyncio.timeout(limit) as deadline:
                return await self.executor.invoke(
                    self.plan.use_case.use_case,
                    command,
                    context=Context.from_headers(self.message.headers),
                    before=self._before,
                )
        except TimeoutError as error:
            if not deadline.expired():
                raise
            self.begun = True
            raise DeadlineExceeded(
                f"job {self.plan.name} was stopped after {limit:g} s", remedy="raise its timeout, or do less in one job"
            ) from error

    def _command(self) -> object:
        try:
            return self.executor.codec.decode(self.message.payload, self.plan.command or type(None))
        except LoomError:
            self.begun = True
            raise

    async def _before(self, scope: Scope) -> None:
        if self.plan.delivery is Delivery.AT_LEAST_ONCE and not await _claim(scope, self.plan, self.message):
            raise _Finished
        self.begun = True


async def _claim(scope: Scope, plan: JobPlan, message: JobMessage) -> bool:
    return await scope.unit.inbox.claim(f"job:{plan.name}", message.id)
