"""Laws of failure policies: the decision depends on the plan and the attempt alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.application.streaming.failure import (
    Again,
    DeadLetter,
    Fail,
    FailurePlan,
    Final,
    Policy,
    Retry,
    Skip,
    decide,
    failure_plan,
)
from loom.streaming import dead_letter, fail, retry, skip

finals: st.SearchStrategy[Final] = st.sampled_from([Fail(), Skip(), DeadLetter(), DeadLetter("letters")])
seconds = st.floats(min_value=0, max_value=1000)
retries = st.builds(Retry, st.integers(1, 50), seconds, seconds, st.none() | finals)
policies: st.SearchStrategy[Policy | None] = st.none() | finals | retries
plans = st.builds(FailurePlan, times=st.integers(0, 50), backoff=seconds, longest=seconds, final=finals)


@given(plans)
def test_a_plan_tries_again_as_often_as_it_says_and_then_ends_for_good(plan: FailurePlan) -> None:
    decisions = [decide(plan, attempt) for attempt in range(1, plan.times + 4)]
    assert all(isinstance(decision, Again) for decision in decisions[: plan.times])
    assert decisions[plan.times :] == [plan.final] * 3


@given(plans)
def test_waits_never_shrink_and_never_exceed_the_longest(plan: FailurePlan) -> None:
    waits = [decision.after for n in range(1, plan.times + 1) if isinstance(decision := decide(plan, n), Again)]
    assert waits == sorted(waits)
    assert all(0 <= wait <= plan.longest for wait in waits)
    if waits and plan.backoff <= plan.longest:
        assert waits[0] == plan.backoff


@given(st.integers(1, 10**9))
def test_no_attempt_number_is_too_large(attempt: int) -> None:
    plan = FailurePlan(times=10**9, backoff=0.1, longest=60, final=Skip())
    decision = decide(plan, attempt)
    assert isinstance(decision, Again)
    assert decision.after <= 60


@given(policies, st.booleans())
def test_only_what_is_not_said_depends_on_the_flow(policy: Policy | None, has_route: bool) -> None:
    plan = failure_plan(policy, has_route=has_route)
    said = policy.then if isinstance(policy, Retry) else policy
    assert plan.final == (said if said is not None else DeadLetter() if has_route else Fail())
    assert plan.times == (policy.times if isinstance(policy, Retry) else 0)


def test_waits_double() -> None:
    plan = failure_plan(retry(5, backoff=0.5, longest=3), has_route=False)
    assert [decide(plan, attempt) for attempt in range(1, 6)] == [Again(0.5), Again(1), Again(2), Again(3), Again(3)]


def test_policies_are_plain_values() -> None:
    assert (fail(), skip(), dead_letter("t")) == (Fail(), Skip(), DeadLetter("t"))
    assert retry(2, then=skip()) == Retry(2, then=Skip())


def test_impossible_retries_are_refused() -> None:
    with pytest.raises(ValueError, match="times"):
        retry(0)
    with pytest.raises(ValueError, match="backoff"):
        retry(1, backoff=-1)
    with pytest.raises(TypeError, match="then"):
        retry(1, then=retry(1))  # type: ignore[arg-type]
