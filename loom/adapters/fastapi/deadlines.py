"""One time limit for many pieces of work, with one timer for all of them.

A timer of its own for each request costs a fifth of a small request. Time runs out in the order in which work
began, since the limit is the same for all, so one timer, set to the oldest, is enough; mostly it finds that one gone.
"""

from __future__ import annotations

import asyncio
from asyncio import current_task, get_running_loop
from collections.abc import Awaitable
from typing import Any, TypeVar

import attrs

from loom.domain.errors import DeadlineExceeded

T = TypeVar("T")


@attrs.define(eq=False)
class _Entry:
    task: asyncio.Task[Any]
    cancelling: int
    at: float
    expired: bool = False


@attrs.define(eq=False)
class Deadlines:
    """Runs work that is cancelled after ``limit`` seconds."""

    limit: float
    # A dictionary keeps the order of insertion, and forgets from its middle at no cost.
    _running: dict[_Entry, None] = attrs.field(factory=dict, init=False)
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)

    async def run(self, work: Awaitable[T], what: str) -> T:
        """The result of the work.

        Raises:
            DeadlineExceeded: it was cancelled because its time was over, and has ended.
        """
        loop = get_running_loop()
        task = current_task(loop)
        assert task is not None
        entry = _Entry(task, task.cancelling(), loop.time() + self.limit)
        self._running[entry] = None
        if self._loop is not loop:
            self._loop = loop
            loop.call_at(entry.at, self._look, loop)
        try:
            return await work
        except asyncio.CancelledError as error:
            # Somebody else may have cancelled the task as well, and is owed the cancellation.
            if entry.expired and task.uncancel() <= entry.cancelling:
                raise DeadlineExceeded(f"{what} was stopped after {self.limit:g} s") from error
            raise
        finally:
            del self._running[entry]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            return
        now = loop.time()
        for entry in self._running:
            if entry.at > now:
                loop.call_at(entry.at, self._look, loop)
                return
            if not entry.expired:
                entry.expired = True
                entry.task.cancel()
        # Nothing runs whose time is not over: the next one sets the timer again.
        self._loop = None
