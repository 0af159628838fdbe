"""Uvicorn in this process. SIGTERM drains: nothing that was accepted is cut, and who comes later is sent elsewhere.

Uvicorn by itself closes its sockets at once, so that whoever spreads the load learns of the end by refused connections.
Here it goes on for a while: readiness fails, requests are answered, and each answer closes its connection, so that no
client is about to send another request over it when the socket is closed at last.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import uuid
from collections.abc import Callable
from types import FrameType
from typing import Any

import attrs
import uvicorn

from loom.adapters.uvicorn.settings import UvicornSettings
from loom.application.rest.problems import PROBLEM_TYPE, problem
from loom.domain.errors import Unavailable

_LOG = logging.getLogger("loom.rest")


def serve(app: Any, settings: UvicornSettings, on_drain: Callable[[], None]) -> bool:
    """Serve an ASGI application until SIGINT or SIGTERM ends the process; returns whether it ever started.

    Args:
        app: the application; its lifespan is entered and left.
        settings: where and how.
        on_drain: called when SIGTERM arrives; the application says from then on that it is not ready.

    Raises:
        Unavailable: the address cannot be listened on. What the application's own start raises is passed on as it is.
    """
    drained = _Drained(app)
    config = uvicorn.Config(
        drained,
        host=settings.host,
        port=settings.port,
        # Lines go through the handler that the kernel sets up, and requests are counted rather than logged.
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.drain_timeout,
    )
    server = _Server(config, settings.drain, drained, on_drain)
    server.run()
    return server.started


@attrs.define(eq=False)
class _Drained:
    """The application; while it drains, every answer closes its connection. ``failure`` is why it did not start."""

    app: Any
    draining: bool = False
    failure: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        last = self.draining and scope["type"] == "http"
        try:
            await (self._answer_last if last else self.app)(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            # Only the end of the server cancels a request: the time for those that it accepted is over.
            _LOG.warning("%s %s was not done when its time was over, and is undone", scope["method"], scope["path"])
            await _turn_away(scope, send)

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def telling(message: Any) -> None:
            nonlocal started
            started = started or message["type"] == "lifespan.startup.complete"
            # Its text is a traceback, which would be logged. Whoever serves is told by the exception itself.
            await send(message if started else {"type": message["type"]})

        try:
            await self.app(scope, receive, telling)
        except BaseException as error:
            self.failure = None if started else error
            raise

    async def _answer_last(self, scope: Any, receive: Any, send: Any) -> None:
        async def closing(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, closing)


async def _turn_away(scope: Any, send: Any) -> None:
    """Answer a request that was cancelled; one whose answer has begun is cut, so that nobody takes it for whole."""
    sent = dict(scope["headers"]).get(b"x-correlation-id", b"").decode("latin-1")
    detail = "the server ended before the request was done; send it again"
    document = problem(503, detail, code=Unavailable.code, correlation_id=sent or uuid.uuid4().hex)
    headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"retry-after", b"1"), (b"connection", b"close")]
    try:
        await send({"type": "http.response.start", "status": 503, "headers": headers})
    except RuntimeError as error:
        raise asyncio.CancelledError from error
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, drain: float, app: _Drained, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._app = app
        self._on_drain = on_drain
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and listen; what prevents either is raised, where Uvicorn would end the process."""
        try:
            await super().startup(sockets)
        except SystemExit as left:
            if self._app.failure is not None:
                raise self._app.failure from self._app.failure.__cause__
            address, reason = f"{self.config.host}:{self.config.port}", left.__context__
            remedy = "end what listens there, or correct rest.host and rest.port"
            raise Unavailable(f"{address} cannot be listened on ({reason})", remedy=remedy) from reason

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End at SIGINT and at any second signal; drain first at SIGTERM. The process then ends with status 0."""
        if self.should_exit:
            self.force_exit = sig == signal.SIGINT
        elif sig == signal.SIGTERM and self.started and self._loop is not None and not self._app.draining:
            self._app.draining = True
            self._on_drain()
            # Signals arrive between any two instructions; the loop is to be told in its own turn.
            self._loop.call_soon_threadsafe(self._begin_drain)
        else:
            self.should_exit = True

    def _begin_drain(self) -> None:
        _LOG.info("draining for %g s", self._drain)
        asyncio.get_running_loop().call_later(self._drain, self._end)

    def _end(self) -> None:
        self.should_exit = True
