"""Whether and when a failed attempt is followed by another. Pure."""

from __future__ import annotations

from loom.domain.errors import InvalidInput, MalformedInput

FIRST_DELAY = 1.0
LONGEST_DELAY = 300.0

# The payload of the next attempt is the same, and so would be its fault.
_HOPELESS = (InvalidInput, MalformedInput)


def delay_after(attempt: int) -> float:
    """Seconds between a failed attempt and the next one: doubled each time, up to ``LONGEST_DELAY``."""
    return min(FIRST_DELAY * 2.0 ** min(attempt - 1, 32), LONGEST_DELAY)


def next_delay(error: BaseException, *, attempt: int, retries: int) -> float | None:
    """Seconds until the next attempt, or ``None`` where there is none.

    Args:
        error: what the attempt failed with.
        attempt: its number, from 1.
        retries: how many attempts may follow the first.
    """
    if attempt > retries or isinstance(error, _HOPELESS):
        return None
    return delay_after(attempt)


def longest_delay(retries: int) -> float:
    """The longest of all pauses of a job with that many retries."""
    return delay_after(retries) if retries > 0 else 0.0
