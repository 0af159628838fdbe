"""Failure policies: what a flow does with a record that cannot be handled, as data and as one pure function."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from loom.domain.frozen import frozen


@frozen
class Fail:
    """Stop the flow. Nothing past the failed record is committed."""


@frozen
class Skip:
    """Drop the record and go on."""


@frozen
class DeadLetter:
    """Send the source record to a topic of failures and go on. ``None`` is the flow's own ``errors`` route."""

    topic: str | None = None


Final: TypeAlias = Fail | Skip | DeadLetter


@frozen
class Failed:
    """What a batch step returns in the place of a record that it could not handle; see ``BatchStep``.

    Args:
        error: why; the failure policy, and a dead letter, get it.
    """

    error: Exception = attrs.field(validator=attrs.validators.instance_of(Exception))


@frozen
class Retry:
    """Try again ``times`` more times; then do ``then``, or what the flow does by default.

    The first wait lasts ``backoff`` seconds and every further one twice as long, up to ``longest`` seconds.
    """

    times: int = attrs.field(validator=attrs.validators.ge(1))
    backoff: float = attrs.field(default=0.1, validator=attrs.validators.ge(0))
    longest: float = attrs.field(default=30.0, validator=attrs.validators.ge(0))
    then: Final | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of((Fail, Skip, DeadLetter)))
    )


Policy: TypeAlias = Fail | Skip | DeadLetter | Retry
POLICIES = (Fail, Skip, DeadLetter, Retry)


def fail() -> Fail:
    """Stop the flow loudly, even where it has an error route."""
    return Fail()


def skip() -> Skip:
    """Drop the record and go on."""
    return Skip()


def dead_letter(topic: str | None = None) -> DeadLetter:
    """Send the source record, as an ``ErrorEnvelope``, to ``topic`` or to the flow's ``errors`` route."""
    return DeadLetter(topic)


def retry(times: int, backoff: float = 0.1, *, longest: float = 30.0, then: Final | None = None) -> Retry:
    """Try again, with waits that double.

    Args:
        times: further attempts after the first one.
        backoff: seconds before the first of them.
        longest: the longest wait, in seconds.
        then: what to do when all attempts failed; by default the error route where the flow has one, else stop.
    """
    return Retry(times, backoff, longest, then)


@frozen(kw_only=True)
class FailurePlan:
    """A policy after compilation: nothing in it depends on the flow any more. Waits are seconds."""

    times: int = 0
    backoff: float = 0.0
    longest: float = 0.0
    final: Final = attrs.field(factory=Fail)


@frozen
class Again:
    """Try once more after so many seconds."""

    after: float


Decision: TypeAlias = Again | Fail | Skip | DeadLetter

_MOST_DOUBLINGS = 40  # 2 ** 40 tenths of a second is 3,000 years; beyond, floats would overflow.


def decide(plan: FailurePlan, attempt: int) -> Decision:
    """What to do after attempt number ``attempt`` (from 1) has failed. Pure: equal arguments, equal answers."""
    if attempt > plan.times:
        return plan.final
    return Again(min(plan.longest, plan.backoff * 2 ** min(attempt - 1, _MOST_DOUBLINGS)))


def failure_plan(policy: Policy | None, *, has_route: bool) -> FailurePlan:
    """The plan of a declared policy, or of none: the error route where there is one, else stop."""
    default: Final = DeadLetter() if has_route else Fail()
    if policy is None:
        return FailurePlan(final=default)
    if isinstance(policy, Retry):
        return FailurePlan(
            times=policy.times, backoff=policy.backoff, longest=policy.longest, final=policy.then or default
        )
    return FailurePlan(final=policy)
