"""Answers that are written while they are read: one JSON value on each line, in constant memory.

The scope of the call stays open while its rows are sent, and closes when the last one is out, when one cannot be read,
or when the client goes away. A failure in the middle ends the response without its proper end, so that nobody takes
what came for the whole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, Protocol

import attrs
from starlette.types import Receive, Scope, Send

from loom.adapters.fastapi.answer import GONE, Answer, error_answer
from loom.adapters.fastapi.request import Disconnected
from loom.application.rest.openapi import STREAM_TYPE
from loom.application.usecase.application import After
from loom.application.usecase.scope import Scope as CallScope
from loom.domain.context import Context
from loom.domain.errors import DeadlineExceeded

_LOG = logging.getLogger("loom.rest")
_PORTION: Final = 65_536
_HEADERS: Final = ((b"content-type", STREAM_TYPE.encode("ascii")),)


class Call(Protocol):
    """Protocol of a use case that is ready to run, and whose result is an asynchronous iterator."""

    async def __call__(self, *, after: After) -> object:
        """Run it."""


@attrs.define(eq=False, kw_only=True, repr=False)
class StreamedAnswer:
    """The rows of one call, on their way.

    Attributes:
        call: gives the rows.
        success: status of success.
        encode: the JSON text of a row.
        receive: tells when the client goes away.
        stall: seconds that the call may take to its first portion, and the client for each one; ``None`` sets no limit.
    """

    call: Call
    success: int
    encode: Callable[[object], bytes]
    receive: Receive
    stall: float | None
    status: int = attrs.field(default=GONE, init=False)

    async def send(self, scope: Scope, send: Send, context: Context) -> None:
        """Run the call and send its rows. An error before the first of them becomes a problem document."""
        deadline = asyncio.timeout(self.stall)
        sending = _Sending(self, send, context, deadline)

        async def after(call_scope: CallScope, rows: AsyncIterator[Any]) -> None:
            async with (
                _closed(rows),
                aclosing(_portions(rows, self.encode)) as portions,
                _watched(self.receive) as gone,
            ):
                async for portion in portions:
                    if gone.done():
                        raise Disconnected
                    if scope["method"] == "HEAD":
                        return
                    await sending.portion(portion)

        try:
            async with deadline:
                await self.call(after=after)
                await sending.end()
        except Disconnected:
            return
        except Exception as caught:
            error = self._too_late(caught) if deadline.expired() else caught
            if sending.begun:
                told = {"correlation_id": context.correlation_id}
                _LOG.error("a streamed answer was broken off: %s", error, extra=told)
                raise
            answer = error_answer(error, context.correlation_id, {})
            self.status = answer.status
            await answer.send(scope, send, context)

    def _too_late(self, caught: Exception) -> DeadlineExceeded:
        error = DeadlineExceeded(f"there was no first line after {self.stall:g} s")
        error.__cause__ = caught
        return error


@attrs.define(eq=False, repr=False)
class _Sending:
    answer: StreamedAnswer
    send: Send
    context: Context
    deadline: asyncio.Timeout
    begun: bool = False

    async def portion(self, body: bytes, *, more: bool = True) -> None:
        # The answer begins: from here on it is the client that may be late.
        self.deadline.reschedule(None)
        try:
            async with asyncio.timeout(self.answer.stall):
                if not self.begun:
                    self.begun = True
                    self.answer.status = self.answer.success
                    await self.send(Answer(self.answer.success, b"", _HEADERS).start(self.context))
                await self.send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError as error:
            raise DeadlineExceeded(f"the client took no more for {self.answer.stall:g} s") from error

    async def end(self) -> None:
        await self.portion(b"", more=False)


async def _portions(rows: AsyncIterator[Any], encode: Callable[[object], bytes]) -> AsyncGenerator[bytes, None]:
    lines: list[bytes] = []
    size = 0
    async for row in rows:
        line = encode(row)
        lines.append(line)
        size += len(line) + 1
        if size >= _PORTION:
            yield b"\n".join((*lines, b""))
            lines.clear()
            size = 0
            # Rows that are there already come without a pause; others are let in between.
            await asyncio.sleep(0)
    if lines:
        yield b"\n".join((*lines, b""))


@asynccontextmanager
async def _closed(rows: AsyncIterator[Any]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        close = getattr(rows, "aclose", None)
        if close is not None:
            await close()


@asynccontextmanager
async def _watched(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """A task that ends when the client goes away."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(watch())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
