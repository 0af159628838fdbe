"""Liveness and readiness: whether the process should be restarted, and whether it should get requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from starlette.types import Receive, Scope

from loom.adapters.fastapi.answer import Answer
from loom.domain.context import Context
from loom.domain.frozen import frozen

Check = Callable[[], Awaitable[None]]
"""Returns where a part of the system is ready; raises where it is not."""


@frozen
class Live:
    """Answers as long as the event loop turns. Asks nothing else: a restart would not mend another server."""

    parts: ClassVar[Mapping[str, str]] = {}

    async def answer(self, scope: Scope, receive: Receive, context: Context) -> Answer:
        """200, always."""
        return Answer(200, b'{"status":"live"}', ((b"content-type", b"application/json"),))


@frozen
class Ready:
    """Answers 200 where every check passes; else the error of the first that does not, as a problem."""

    parts: ClassVar[Mapping[str, str]] = {}
    checks: Mapping[str, Check]

    async def answer(self, scope: Scope, receive: Receive, context: Context) -> Answer:
        """Ask every part."""
        for check in self.checks.values():
            await check()
        return Answer(200, b'{"status":"ready"}', ((b"content-type", b"application/json"),))
