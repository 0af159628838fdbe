"""A clock that tests set: time is an input, and nothing waits."""

from __future__ import annotations

import asyncio
import datetime as dt

import attrs

START = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)


@attrs.define(eq=False)
class FakeClock:
    """Time that stands still until somebody moves it; ``sleep`` moves it at once."""

    time: dt.datetime = START

    def now(self) -> dt.datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        # Others run in between, as they would while one waits.
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> dt.datetime:
        """Move the time forward; returns the new time."""
        self.time += dt.timedelta(seconds=seconds)
        return self.time
