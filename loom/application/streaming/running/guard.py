"""The one place where failure policies are carried out."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import attrs

from loom.application.streaming.failure import Again, DeadLetter, Fail, FailurePlan, Skip, decide
from loom.application.streaming.running.fault import Fault, fault_of
from loom.application.streaming.running.items import Item, sources
from loom.application.streaming.running.letters import Letters
from loom.application.streaming.running.notes import Notes, place_of_record
from loom.application.streaming.running.outage import Outage, World
from loom.application.streaming.running.tally import Tally
from loom.domain.errors import EngineFailure, LoomError, StepFailed
from loom.domain.frozen import frozen
from loom.ports.clock import Clock
from loom.ports.transport import ReceivedRecord


class Gone:
    """Type of ``GONE``."""


GONE: Final = Gone()
"""The items were skipped or sent to an error route: there is no result, and they are released."""

STEP_ERRORS: Final = (Exception, SystemExit, asyncio.CancelledError)
"""What a step may raise. One that calls ``sys.exit()``, or lets a cancelled task of its own through, has failed like
any other: the process and the flow are not its to end."""


@frozen(kw_only=True)
class Guarded:
    """What is guarded: a step of the user, or a source or sink of the flow."""

    name: str
    failure: FailurePlan
    by_user: bool = True


@attrs.frozen(eq=False)
class Guard:
    """Calls things that may fail, and does what their policy says where the record is at fault."""

    flow: str
    clock: Clock
    letters: Letters
    tally: Tally
    notes: Notes
    world: World

    async def call(
        self,
        what: Guarded,
        items: Sequence[Item],
        call: Callable[[], Any],
        failed: BaseException | None = None,
        read: Callable[[Any], Any] | None = None,
    ) -> Any:
        """The result of ``call`` (awaited where that is needed) after as many attempts as the policy has, or ``GONE``.

        Where the world is at fault, no policy is asked: the call is made again until the world is back.

        Args:
            what: whose policy applies.
            items: the records that ``call`` works on.
            call: one attempt.
            failed: the error of a first attempt that was already made.
            read: gives what is made of the result; what it raises is a failure of the call.

        Raises:
            StepFailed: the policy is to stop, and a step failed.
            EngineFailure: the same for a sink; or the world was away for too long.
        """
        error, attempt = None if failed is None else as_failure(what.name, failed), 0
        outage: Outage | None = None
        while True:
            if error is None:
                try:
                    result = call()
                    result = await result if inspect.isawaitable(result) else result
                    result = result if read is None else read(result)
                except STEP_ERRORS as raised:
                    error = as_failure(what.name, raised)
                else:
                    if outage is not None:
                        outage.over()
                    return result
            if fault_of(error, by_user=what.by_user) is not Fault.RECORD:
                outage = outage or self.world.outage(f"{what.name} on {_where(sources(items))}")
                await outage.wait(error, by_user=what.by_user)
                error = None
                continue
            if outage is not None:
                outage.over()
            attempt += 1
            decision = decide(what.failure, attempt)
            if not isinstance(decision, Again):
                await self.settle(decision, what, sources(items), error, attempt, partial(_release, items))
                return GONE
            self.tally.retries += 1
            self.notes.retried(what.name, items[0].lineage.sources[0], error)
            error = None
            await self.clock.sleep(decision.after)

    async def settle(
        self,
        decision: Fail | Skip | DeadLetter,
        what: Guarded,
        failed: Sequence[ReceivedRecord],
        error: Exception,
        attempts: int,
        done: Callable[[], None],
    ) -> None:
        """Carry out a final decision over source records; ``done`` is called when nothing of it is under way."""
        if isinstance(decision, Skip):
            self.tally.skipped += len(failed)
            for record in failed:
                self.notes.skipped(what.name, record, error)
            done()
        elif isinstance(decision, DeadLetter):
            await self.letters.add(decision.topic, failed, step=what.name, error=error, attempts=attempts, done=done)
        else:
            raise self._loud(what, failed, error, attempts) from error

    def _loud(self, what: Guarded, failed: Sequence[ReceivedRecord], error: Exception, attempts: int) -> LoomError:
        tries = f" after {attempts} attempts" if attempts > 1 else ""
        kind = StepFailed if what.by_user else EngineFailure
        return kind(
            f"{what.name} of flow {self.flow} failed on {_where(failed)}{tries}: {type(error).__name__}: {error}",
            remedy="nothing past that record was committed; mend the cause and start again, or declare on_error=... "
            "or errors=IntoTopic(..., payload=ErrorEnvelope)",
        )


def as_failure(name: str, raised: BaseException) -> Exception:
    """What a step raised, as an error that a policy may be asked about.

    Raises:
        CancelledError: it was the engine that was cancelled, and not something inside of the step.
    """
    if isinstance(raised, Exception):
        return raised
    if isinstance(raised, asyncio.CancelledError) and _is_cancelled():
        raise raised
    failure = StepFailed(f"{name} raised {type(raised).__name__}{f'({raised})' if str(raised) else ''}")
    failure.__cause__ = raised
    return failure


def _is_cancelled() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        # A worker thread has no loop: there is nothing that could have been cancelled.
        return False
    return task is not None and task.cancelling() > 0


def _release(items: Sequence[Item]) -> None:
    for item in items:
        item.lineage.release()


def _where(failed: Sequence[ReceivedRecord]) -> str:
    if not failed:
        return "no record"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{place_of_record(failed[0])}{more}"
