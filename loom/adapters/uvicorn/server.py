"""Uvicorn in this process. SIGTERM drains: nothing that was accepted is cut, and who comes later is sent elsewhere.

Uvicorn by itself closes its sockets at once, so that whoever spreads the load learns of the end by refused connections.
Here it goes on for a while: readiness fails, requests are answered, and each answer closes its connection, so that no
client is about to send another request over it when the socket is closed at last.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import attrs
import uvicorn

from loom.adapters.uvicorn.settings import UvicornSettings

_LOG = logging.getLogger("loom.rest")


def serve(app: Any, settings: UvicornSettings, on_drain: Callable[[], None]) -> bool:
    """Serve an ASGI application until SIGINT or SIGTERM ends the process; returns whether it ever started.

    Args:
        app: the application; its lifespan is entered and left.
        settings: where and how.
        on_drain: called when SIGTERM arrives; the application says from then on that it is not ready.
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
    """The application; while it drains, every answer closes its connection."""

    app: Any
    draining: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self.draining or scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def closing(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, closing)


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
