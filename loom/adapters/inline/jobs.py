"""Jobs in this process: the embedded default, and the fake that tests use.

They run as tasks of the event loop in which the queue was started. What waits here when the process ends is lost: a
deployment that cannot afford that uses a broker.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Coroutine
from typing import Any

from loom.adapters.inline.settings_jobs import InlineJobsSettings
from loom.domain.errors import Unavailable
from loom.ports.clock import Clock
from loom.ports.jobs import JobMessage, JobRunner

log = logging.getLogger("loom.jobs.inline")


class InlineJobQueue:
    """A heap of messages and a bounded number of tasks. ``enqueue`` may be called from any thread."""

    def __init__(self, settings: InlineJobsSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._runner: JobRunner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._lost = 0
        # Highest priority first, and of those the oldest.
        self._ready: list[tuple[int, int, JobMessage]] = []
        self._order = itertools.count()
        self._delayed: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[None]] = set()
        # Messages that came before the start.
        self._early: list[JobMessage] = []

    def redelivers_after(self) -> float | None:
        return None

    async def enqueue(self, message: JobMessage) -> None:
        if self._stopped:
            raise Unavailable(f"job {message.job} was not taken: the inline queue is stopped")
        if self._loop is None:
            self._early.append(message)
        elif self._loop is asyncio.get_running_loop():
            self._accept(message, message.countdown)
        else:
            self._loop.call_soon_threadsafe(self._accept, message, message.countdown)

    async def start(self, runner: JobRunner) -> None:
        self._runner, self._loop, self._stopped = runner, asyncio.get_running_loop(), False
        early, self._early = self._early, []
        for message in early:
            self._accept(message, message.countdown)

    async def drain(self) -> None:
        # Once around the loop first, so that what other threads handed over counts.
        await asyncio.sleep(0)
        while self._running or self._delayed:
            await asyncio.wait(self._running | self._delayed, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        self._stopped = True
        self._lost = len(self._ready) + len(self._delayed) + len(self._early)
        self._ready.clear()
        self._early.clear()
        for waiting in self._delayed:
            waiting.cancel()
        while self._running or self._delayed:
            await asyncio.wait(self._running | self._delayed)
        self._runner = self._loop = None
        if self._lost:
            log.warning("%d jobs were waiting in this process when it stopped; they do not run", self._lost)

    def _accept(self, message: JobMessage, delay: float) -> None:
        if self._stopped:
            self._lost += 1
        elif delay > 0:
            self._keep(self._delayed, self._wait(message, delay))
        else:
            heapq.heappush(self._ready, (-message.priority, next(self._order), message))
            self._fill()

    def _fill(self) -> None:
        while self._ready and self._runner is not None and len(self._running) < self._settings.concurrency:
            _, _, message = heapq.heappop(self._ready)
            self._keep(self._running, self._run(self._runner, message))

    async def _wait(self, message: JobMessage, delay: float) -> None:
        await self._clock.sleep(delay)
        self._accept(message, 0.0)

    async def _run(self, runner: JobRunner, message: JobMessage) -> None:
        try:
            await runner(message)
        except Exception as error:  # a message leaves the queue only when its status is known
            log.warning("job %s %s is delivered again: %s", message.job, message.id, error, exc_info=error)
            self._accept(message, self._settings.redelivery_delay)

    def _keep(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(lambda done: self._done(tasks, done))

    def _done(self, tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        self._fill()
