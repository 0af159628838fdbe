"""The one event loop of a worker process, in a thread of its own.

Celery's pools call a task as a plain function. Each call hands its message to this loop and waits; so a pool of threads
keeps as many jobs waiting on I/O as it has threads, in one loop, over one kernel with its connections.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar

from loom.ports.jobs import JobMessage, JobRunner, JobStatus

T = TypeVar("T")

RunnerFactory: TypeAlias = Callable[[], AbstractAsyncContextManager[JobRunner]]
"""Opens what runs jobs: entered once in each worker process, in the loop in which the jobs will run, and left at its
end. Typically it starts the kernel and yields its ``JobWorker``."""


class WorkerLoop:
    """A loop and the runner that lives in it. Begins with the first job, hence after a pool has forked."""

    def __init__(self, factory: RunnerFactory) -> None:
        self._factory = factory
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._opened: AbstractAsyncContextManager[JobRunner] | None = None
        self._runner: JobRunner | None = None

    def run(self, message: JobMessage) -> JobStatus:
        """Run one message to its end. Called by the pool, from many threads at once.

        Raises:
            Exception: what the factory or the runner raises; the message is to be delivered again.
        """
        return self._wait_for(self._run(self._begun(), message))

    def close(self) -> None:
        """Leave the factory's context and end the loop. Called when the pool has nothing left to run."""
        with self._lock:
            if self._loop is None or self._thread is None:
                return
            opened, self._opened, self._runner = self._opened, None, None
            try:
                if opened is not None:
                    self._wait_for(_left(opened))
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()
                self._loop = self._thread = None

    def _begun(self) -> JobRunner:
        # One thread opens, the others wait for it; where it fails the next job tries again.
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="loom-jobs", daemon=True)
                self._thread.start()
            if self._runner is None:
                opened = self._factory()
                self._runner = self._wait_for(opened.__aenter__())
                self._opened = opened
            return self._runner

    async def _run(self, runner: JobRunner, message: JobMessage) -> JobStatus:
        return await runner(message)

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _left(opened: AbstractAsyncContextManager[JobRunner]) -> None:
    await opened.__aexit__(None, None, None)
