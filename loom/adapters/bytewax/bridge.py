"""The way from Bytewax's worker thread into the event loop, and the errors that come back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import attrs

from loom.domain.errors import LoomError

T = TypeVar("T")


@attrs.frozen(eq=False)
class Bridge:
    """Runs coroutines in the one event loop to which the flow's ports belong, while the worker thread waits."""

    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``; called from the worker thread only."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()


def real_cause(error: BaseException) -> BaseException:
    """The error that user code or a port raised. Bytewax wraps it once for every operator that it passes through."""
    found = error
    for link in _causes(error):
        if isinstance(link, LoomError):
            return link
        found = link
    return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__
