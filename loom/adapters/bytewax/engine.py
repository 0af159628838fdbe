"""The Bytewax engine: one worker, in a thread of its own, over the event loop of whoever runs the flow."""

from __future__ import annotations

import asyncio
import threading

from bytewax.testing import run_main

from loom.adapters.bytewax.bridge import Bridge, real_cause
from loom.adapters.bytewax.dataflow import dataflow
from loom.adapters.bytewax.settings import BytewaxSettings
from loom.adapters.bytewax.source import SessionSource
from loom.application.streaming.bind import BoundFlow
from loom.application.streaming.running.session import FlowSession, open_session
from loom.ports.streaming import FlowReport, StopSignal


class BytewaxStreamEngine:
    """Runs flows as Bytewax dataflows.

    Sync steps run in the worker thread; async steps, sources and sinks in the event loop that called ``run``.
    """

    def __init__(self, settings: BytewaxSettings) -> None:
        self._settings = settings

    async def run(self, flow: BoundFlow, *, stop: StopSignal, until_idle: bool = False) -> FlowReport:
        """See ``StreamEngine.run``."""
        async with open_session(flow, stop) as session:
            await self._work(session, stop, until_idle)
            await session.commit()
            return session.report()

    async def _work(self, session: FlowSession, stop: StopSignal, until_idle: bool) -> None:
        bridge = Bridge(asyncio.get_running_loop())
        cancelled = threading.Event()
        source = SessionSource(
            session,
            bridge,
            self._settings,
            ended=stop.is_set,
            cancelled=cancelled.is_set,
            until_idle=until_idle,
        )
        worker = asyncio.ensure_future(asyncio.to_thread(run_main, dataflow(session, bridge, source)))
        try:
            await asyncio.shield(worker)
        except asyncio.CancelledError:
            # A thread cannot be cancelled: its next read fails, and the worker ends.
            cancelled.set()
            await asyncio.wait([worker])
            worker.exception()  # Asked for, so that nobody reports it as never retrieved.
            raise
        except Exception as error:  # noqa: BLE001 - Bytewax wraps whatever it meets
            raise real_cause(error)  # noqa: B904 - the chain that matters is the cause's own
