"""What a flow does while the world is away: it tries again with back-off, says so once, and gives up in the end."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from loom.application.streaming.running.fault import Fault, fault_of
from loom.domain.errors import EngineFailure
from loom.ports.clock import Clock
from loom.ports.streaming import StopSignal

T = TypeVar("T")

logger = logging.getLogger("loom.streaming")

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


@attrs.define(eq=False)
class World:
    """Everything outside of one running flow.

    Attributes:
        flow: its name.
        clock: what the waits are measured by.
        give_up_after: seconds after which an outage stops the flow.
        stop: the wish to end; while the world is away it is granted at once.
    """

    flow: str
    clock: Clock
    give_up_after: float
    stop: StopSignal
    # Set with the first outage that was given up: what is left to do on the way out tries only once.
    given_up: bool = attrs.field(default=False, init=False)

    def outage(self, doing: str) -> Outage:
        """The outage that a piece of work may meet. It has not begun."""
        return Outage(self, doing)

    async def through(self, doing: str, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call to a broker or store, tried again while the world is away.

        Raises:
            EngineFailure: the world was away for too long, or something is wired wrongly.
            Exception: what the call raised, where that is the fault of a record.
        """
        outage = self.outage(doing)
        while True:
            try:
                result = await call()
            except Exception as error:
                if fault_of(error, by_user=False) is Fault.RECORD:
                    raise
                await outage.wait(error, by_user=False)
            else:
                outage.over()
                return result


@attrs.define(eq=False)
class Outage:
    """One stretch of failures that are not the record's."""

    _world: World
    _doing: str
    _began: dt.datetime | None = attrs.field(default=None, init=False)
    _attempts: int = attrs.field(default=0, init=False)

    async def wait(self, error: Exception, *, by_user: bool) -> None:
        """Wait before the next attempt; the waits double.

        Raises:
            EngineFailure: there is to be none: something is wired wrongly, the flow is to stop, or the time is over.
        """
        world, now = self._world, self._world.clock.now()
        wiring = fault_of(error, by_user=by_user) is Fault.WIRING
        self._attempts += 1
        if self._began is None:
            self._began = now
            if not (wiring or world.given_up or world.stop.is_set()):
                logger.warning(
                    "flow %s waits: %s: %s: %s; it is tried again for up to %g s, and nothing is committed meanwhile",
                    *(world.flow, self._doing, type(error).__name__, error, world.give_up_after),
                )
        away = (now - self._began).total_seconds()
        if wiring or world.given_up or world.stop.is_set() or away >= world.give_up_after:
            world.given_up = True
            raise self._failure(error, away, wiring=wiring) from error
        pause = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._attempts - 1, 10), world.give_up_after - away)
        await world.clock.sleep(pause)

    def over(self) -> None:
        """The work succeeded, or failed by fault of a record: the world answers."""
        if self._began is not None:
            away = (self._world.clock.now() - self._began).total_seconds()
            logger.warning(
                "flow %s goes on: %s, after %.1f s and %d attempts",
                *(self._world.flow, self._doing, away, self._attempts + 1),
            )
            self._began, self._attempts = None, 0

    def _failure(self, error: Exception, away: float, *, wiring: bool) -> EngineFailure:
        again = "nothing past that was committed; mend the cause and start again"
        if wiring:
            return EngineFailure(
                f"flow {self._world.flow} cannot go on: {self._doing}: {type(error).__name__}: {error}", remedy=again
            )
        tries = f" for {away:g} s ({self._attempts} attempts)" if self._attempts > 1 else ""
        return EngineFailure(
            f"flow {self._world.flow} stopped: {self._doing} failed{tries}: {type(error).__name__}: {error}",
            remedy=f"{again}; streaming.give_up_after says how long a flow waits",
        )
