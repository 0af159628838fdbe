"""One thread that makes the calls of one client, in order, and looks after the client when there are none."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class CallThread:
    """Begins with the first call. A daemon, unlike the threads of an executor: a client that waits for a broker which
    is gone must not keep the process from ending.

    Args:
        name: of the thread.
        idle: called, in the thread, each time that there was no call for ``every`` seconds. It must not raise.
        every: seconds.
    """

    def __init__(self, name: str, *, idle: Callable[[], None], every: float) -> None:
        self._name = name
        self._idle = idle
        self._every = every
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Make a call when those before it have been made. Cancelling the future prevents it as long as it waits."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        future: Future[T] = Future()
        self._calls.put((future, call))
        return future

    def end(self) -> None:
        """Let the thread end after the calls that were submitted."""
        self._calls.put(None)

    def _serve(self) -> None:
        while True:
            try:
                item = self._calls.get(timeout=self._every)
            except queue.Empty:
                self._idle()
                continue
            if item is None:
                return
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
                future.set_exception(error)
