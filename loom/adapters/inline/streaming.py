"""The reference engine: a consumer in a group, in this process and event loop, one chunk of records after the other."""

from __future__ import annotations

from loom.adapters.inline.settings_streaming import InlineStreamingSettings
from loom.adapters.inline.streaming_line import Line, lower
from loom.application.streaming.bind import BoundFlow
from loom.application.streaming.running.session import FlowSession, open_session
from loom.ports.streaming import FlowReport, StopSignal


class InlineStreamEngine:
    """Runs flows for tests, for the embedded default, and in production where no keyed state is needed.

    The clock of the flow decides when a batch is due, so that a test with a clock of its own decides it too.
    """

    def __init__(self, settings: InlineStreamingSettings) -> None:
        self._settings = settings

    async def run(self, flow: BoundFlow, *, stop: StopSignal, until_idle: bool = False) -> FlowReport:
        """See ``StreamEngine.run``."""
        async with open_session(flow, stop) as session:
            line = lower(session)
            while not stop.is_set() and not session.failed:
                await self._turn(session, line)
                if until_idle and await session.caught_up():
                    break
            await line.close_all()
            await session.commit()
            return session.report()

    async def _turn(self, session: FlowSession, line: Line) -> None:
        wait = line.wait(self._settings.poll_seconds)
        items = await session.poll(limit=self._settings.poll_records, timeout=wait)
        if items:
            await line.push(items)
        await line.close_due()
        await session.commit()
