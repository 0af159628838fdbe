"""The one place where failure policies are carried out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from loom.application.streaming.failure import Again, DeadLetter, Fail, FailurePlan, Skip, decide
from loom.application.streaming.running.items import Item, sources
from loom.application.streaming.running.letters import Letters
from loom.application.streaming.running.tally import Tally
from loom.domain.errors import EngineFailure, LoomError, StepFailed
from loom.domain.frozen import frozen
from loom.ports.clock import Clock
from loom.ports.transport import ReceivedRecord


class Gone:
    """Type of ``GONE``."""


GONE: Final = Gone()
"""The items were skipped or sent to an error route: there is no result, and they have been released."""


@frozen(kw_only=True)
class Guarded:
    """What is guarded: a step of the user, or a source or sink of the flow."""

    name: str
    failure: FailurePlan
    by_user: bool = True


@attrs.frozen(eq=False)
class Guard:
    """Calls things that may fail, and does what their policy says where they do."""

    flow: str
    clock: Clock
    letters: Letters
    tally: Tally

    async def call(
        self, what: Guarded, items: Sequence[Item], call: Callable[[], Any], failed: Exception | None = None
    ) -> Any:
        """The result of ``call`` (awaited where that is needed) after as many attempts as the policy has, or ``GONE``.

        Args:
            what: whose policy applies.
            items: the records that ``call`` works on.
            call: one attempt.
            failed: the error of a first attempt that was already made.

        Raises:
            StepFailed: the policy is to stop, and a step failed.
            EngineFailure: the same for a sink.
        """
        error, attempt = failed, 0
        while True:
            if error is None:
                try:
                    result = call()
                    return await result if inspect.isawaitable(result) else result
                except Exception as raised:  # noqa: BLE001 - whatever a step raises, its policy decides
                    error = raised
            attempt += 1
            decision = decide(what.failure, attempt)
            if not isinstance(decision, Again):
                await self.settle(decision, what, sources(items), error, attempt)
                for item in items:
                    item.lineage.release()
                return GONE
            self.tally.retries += 1
            error = None
            await self.clock.sleep(decision.after)

    async def settle(
        self,
        decision: Fail | Skip | DeadLetter,
        what: Guarded,
        failed: Sequence[ReceivedRecord],
        error: Exception,
        attempts: int,
    ) -> None:
        """Carry out a final decision over source records."""
        if isinstance(decision, Skip):
            self.tally.skipped += len(failed)
        elif isinstance(decision, DeadLetter):
            await self.letters.send(decision.topic, failed, step=what.name, error=error, attempts=attempts)
        else:
            raise self._loud(what, failed, error, attempts) from error

    def _loud(self, what: Guarded, failed: Sequence[ReceivedRecord], error: Exception, attempts: int) -> LoomError:
        first = failed[0].origin if failed else None
        where = f"{first.topic}[{first.partition}]@{first.offset}" if first else "no record"
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        tries = f" after {attempts} attempts" if attempts > 1 else ""
        kind = StepFailed if what.by_user else EngineFailure
        return kind(
            f"{what.name} of flow {self.flow} failed on {where}{more}{tries}: {type(error).__name__}: {error}",
            remedy="nothing past that record was committed; mend the cause and start again, or declare on_error=... "
            "or errors=IntoTopic(..., payload=ErrorEnvelope)",
        )
