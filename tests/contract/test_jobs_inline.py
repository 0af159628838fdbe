"""The inline queue keeps the contract of job queues; what it promises beyond: draining, and stopping cleanly."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from loom.adapters.inline.jobs import InlineJobQueue
from loom.adapters.inline.settings_jobs import InlineJobsSettings
from loom.adapters.system.clock import SystemClock
from loom.domain.errors import Unavailable
from loom.ports.jobs import JobQueue, JobRunner
from loom.testing.clock import FakeClock
from loom.testing.contracts.jobs import JobQueueContract, Recorder, message


class TestInlineJobQueue(JobQueueContract):
    @asynccontextmanager
    async def open_queue(self, runner: JobRunner) -> AsyncIterator[JobQueue]:
        queue = InlineJobQueue(InlineJobsSettings(concurrency=self.slots, redelivery_delay=0.05), clock=SystemClock())
        await queue.start(runner)
        yield queue
        await queue.stop()


def inline(concurrency: int = 2) -> InlineJobQueue:
    return InlineJobQueue(InlineJobsSettings(concurrency=concurrency), clock=FakeClock())


async def test_messages_that_came_before_the_start_are_run() -> None:
    """The relay may begin before the queue does."""
    queue, recorder = inline(), Recorder()
    await queue.enqueue(message("early"))
    await queue.start(recorder)
    await queue.drain()
    assert recorder.jobs == ["early"]
    await queue.stop()


async def test_draining_runs_what_waits_and_what_that_enqueues() -> None:
    """Countdowns and further attempts included; with a fake clock none of it takes time."""
    queue, recorder = inline(concurrency=1), Recorder()
    await queue.start(recorder)
    for n in range(5):
        await queue.enqueue(message(f"job{n}", countdown=3600.0 * n))
    await queue.drain()
    assert sorted(recorder.jobs) == [f"job{n}" for n in range(5)]
    await queue.stop()


async def test_stopping_waits_for_what_runs_and_drops_what_waits(caplog: pytest.LogCaptureFixture) -> None:
    """A log line says how many were dropped, and nothing is taken any more."""
    release = asyncio.Event()
    queue, recorder = inline(concurrency=1), Recorder(held={"runs": release})
    await queue.start(recorder)
    await queue.enqueue(message("runs"))
    await queue.enqueue(message("waits"))
    await recorder.wait_until(lambda: recorder.running == 1, 10)
    with caplog.at_level(logging.WARNING, logger="loom.jobs.inline"):
        stopping = asyncio.create_task(queue.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        release.set()
        await stopping
    assert recorder.jobs == ["runs"]
    assert recorder.running == 0
    assert "1 jobs were waiting" in caplog.text
    with pytest.raises(Unavailable, match="stopped"):
        await queue.enqueue(message("late"))


async def test_another_thread_may_enqueue() -> None:
    """A flow that runs in a thread dispatches into the loop of the kernel."""
    queue, recorder = inline(), Recorder()
    await queue.start(recorder)
    thread = threading.Thread(target=lambda: asyncio.run(queue.enqueue(message("from afar"))))
    thread.start()
    await recorder.wait_until(lambda: bool(recorder.received), 10)
    thread.join()
    assert recorder.jobs == ["from afar"]
    await queue.stop()
