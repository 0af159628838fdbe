"""Protocol of time, so that tests own it."""

from __future__ import annotations

import datetime as dt
from typing import Protocol


class Clock(Protocol):
    """Protocol of the time source."""

    def now(self) -> dt.datetime:
        """The time, UTC, aware."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
