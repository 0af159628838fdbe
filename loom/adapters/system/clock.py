"""The clock of the machine."""

from __future__ import annotations

import asyncio
import datetime as dt


class SystemClock:
    """The machine's time, in UTC."""

    def now(self) -> dt.datetime:
        """The time now."""
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)
