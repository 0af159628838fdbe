"""What every ``JobQueue`` adapter must do. Subclass ``JobQueueContract``, say how the queue is opened, and run it.

    class TestMyJobs(JobQueueContract):
        @asynccontextmanager
        async def open_queue(self, runner: JobRunner) -> AsyncIterator[JobQueue]:
            queue = MyQueue(...)
            await queue.start(runner)
            yield queue
            await queue.stop()

The queue that is opened delivers to ``runner``, which lives in the test's own process and event loop, at most ``slots``
messages at a time. Needs pytest and pytest-asyncio.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
import pytest

from loom.domain.errors import Unavailable
from loom.ports.jobs import JobMessage, JobQueue, JobRunner, JobState, JobStatus

EVERY_BYTE = bytes(range(256))


def message(job: str, **fields: Any) -> JobMessage:
    """A message with an id of its own."""
    return JobMessage(id=uuid.uuid4(), job=job, payload=b"{}", **fields)


def finished(item: JobMessage) -> JobStatus:
    """The status of a job that has succeeded."""
    return JobStatus(id=item.id, job=item.job, state=JobState.SUCCEEDED, attempts=item.attempt)


@attrs.define(eq=False)
class Recorder:
    """A runner that keeps what it is given. A message whose job is in ``held`` waits until that event is set."""

    received: list[JobMessage] = attrs.field(factory=list)
    held: dict[str, asyncio.Event] = attrs.field(factory=dict)
    running: int = 0
    answer: Callable[[JobMessage], JobStatus] = finished
    _changed: asyncio.Condition = attrs.field(factory=asyncio.Condition, init=False)

    async def __call__(self, message: JobMessage) -> JobStatus:
        await self._note(message, 1)
        try:
            if message.job in self.held:
                await self.held[message.job].wait()
            return self.answer(message)
        finally:
            await self._note(None, -1)

    async def wait_until(self, holds: Callable[[], bool], patience: float) -> None:
        """Wait for something that must become true while messages come and go."""
        async with asyncio.timeout(patience), self._changed:
            await self._changed.wait_for(holds)

    @property
    def jobs(self) -> list[str]:
        """The jobs that were begun, in that order."""
        return [message.job for message in self.received]

    async def _note(self, message: JobMessage | None, change: int) -> None:
        async with self._changed:
            self.received += [message] if message else []
            self.running += change
            self._changed.notify_all()


@pytest.mark.asyncio
class JobQueueContract:
    """The contract of the ``JobQueue`` port: everything arrives as it was sent, and leaves when it has been run."""

    slots: int = 4
    """How many messages the queue under test runs at the same time."""
    patience: float = 30.0
    """Seconds to wait for something that must happen."""

    def open_queue(self, runner: JobRunner) -> AbstractAsyncContextManager[JobQueue]:
        """The queue under test, started, delivering to ``runner``; stopped at the end of the block."""
        raise NotImplementedError

    async def test_a_message_arrives_as_it_was_sent(self) -> None:
        """Every field, bytes and text that JSON does not like included."""
        sent = JobMessage(
            id=uuid.uuid4(),
            job="Everything",
            payload=EVERY_BYTE,
            headers={"x-correlation-id": "abc", "x-ort": "Köln ✓", "x-empty": ""},
            attempt=3,
            retries=7,
            timeout=1.5,
            priority=5,
        )
        recorder = Recorder()
        async with self.open_queue(recorder) as queue:
            await queue.enqueue(sent)
            await recorder.wait_until(lambda: bool(recorder.received), self.patience)
        assert recorder.received == [sent]

    async def test_every_message_is_run_once(self) -> None:
        """Neither lost nor doubled as long as nobody crashes."""
        recorder = Recorder()
        sent = [message(f"job{n}") for n in range(50)]
        async with self.open_queue(recorder) as queue:
            await asyncio.gather(*(queue.enqueue(item) for item in sent))
            await recorder.wait_until(lambda: len(recorder.received) >= 50, self.patience)
            await self.settle(queue, recorder)
        assert sorted(recorder.jobs) == sorted(item.job for item in sent)

    async def test_many_waiting_jobs_run_at_once(self) -> None:
        """One process runs as many async jobs at the same time as it has slots."""
        recorder = Recorder(held={"waits": asyncio.Event()})
        async with self.open_queue(recorder) as queue:
            for _ in range(self.slots + 2):
                await queue.enqueue(message("waits"))
            await recorder.wait_until(lambda: recorder.running == self.slots, self.patience)
            assert len(recorder.received) == self.slots
            recorder.held["waits"].set()
            await recorder.wait_until(lambda: len(recorder.received) == self.slots + 2, self.patience)

    async def test_the_highest_priority_goes_first(self) -> None:
        """Of those that wait; what runs already is not interrupted."""
        recorder = Recorder(held={"first": asyncio.Event(), "holds": asyncio.Event()})
        async with self.open_queue(recorder) as queue:
            for job in ["first", *["holds"] * (self.slots - 1)]:
                await queue.enqueue(message(job))
            await recorder.wait_until(lambda: recorder.running == self.slots, self.patience)
            for job, priority in (("normal", 0), ("low", 1), ("urgent", 9)):
                await queue.enqueue(message(job, priority=priority))
            recorder.held["first"].set()
            await recorder.wait_until(lambda: len(recorder.received) == self.slots + 3, self.patience)
            recorder.held["holds"].set()
        assert recorder.jobs[self.slots :] == ["urgent", "low", "normal"]

    async def test_a_countdown_lets_others_go_first(self) -> None:
        """What is to wait does not hold up what need not."""
        recorder = Recorder()
        async with self.open_queue(recorder) as queue:
            await queue.enqueue(message("later", countdown=2.0))
            await queue.enqueue(message("now"))
            await recorder.wait_until(lambda: len(recorder.received) == 2, self.patience)
        assert recorder.jobs == ["now", "later"]

    async def test_a_job_that_failed_is_not_delivered_again(self) -> None:
        """Further attempts are the runner's affair: it enqueues them."""
        recorder = Recorder(answer=lambda item: attrs.evolve(finished(item), state=JobState.FAILED, error="no"))
        async with self.open_queue(recorder) as queue:
            await queue.enqueue(message("fails"))
            await recorder.wait_until(lambda: bool(recorder.received), self.patience)
            await self.settle(queue, recorder)
        assert recorder.jobs == ["fails"]

    async def test_a_runner_enqueues_the_next_attempt(self) -> None:
        """From inside a run, under the same id."""
        queues: list[JobQueue] = []

        async def retries(item: JobMessage) -> JobStatus:
            if item.attempt < 3:
                await queues[0].enqueue(attrs.evolve(item, attempt=item.attempt + 1, countdown=0.1))
            return await recorder(item)

        recorder = Recorder()
        async with self.open_queue(retries) as queue:
            queues.append(queue)
            await queue.enqueue(message("tries"))
            await recorder.wait_until(lambda: len(recorder.received) == 3, self.patience)
        assert [item.attempt for item in recorder.received] == [1, 2, 3]
        assert len({item.id for item in recorder.received}) == 1

    async def test_a_message_whose_run_could_not_be_recorded_is_delivered_again(self) -> None:
        """The runner raises where its store does not answer; the message is as it was."""

        def answer(item: JobMessage) -> JobStatus:
            if len(recorder.received) < 3:
                raise Unavailable("the store does not answer")
            return finished(item)

        recorder = Recorder(answer=answer)
        async with self.open_queue(recorder) as queue:
            await queue.enqueue(message("stubborn"))
            await recorder.wait_until(lambda: len(recorder.received) == 3, self.patience)
            await self.settle(queue, recorder)
        first, *others = recorder.received
        assert others == [first, first]

    async def settle(self, queue: JobQueue, recorder: Recorder) -> None:
        """Wait until a message that is sent now has been run: what came before it, and again, would be seen."""
        await recorder.wait_until(lambda: recorder.running == 0, self.patience)
        await queue.enqueue(message("last"))
        await recorder.wait_until(lambda: "last" in recorder.jobs and not recorder.running, self.patience)
        recorder.received = [item for item in recorder.received if item.job != "last"]
