"""What the job compiler accepts, the text of everything that it refuses, and when a failed attempt is tried again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loom.adapters.inline.jobs import InlineJobQueue
from loom.adapters.inline.settings_jobs import InlineJobsSettings
from loom.application.compile import Issues
from loom.application.jobs.compile import Changes, check_redelivery, compile_job, compile_jobs
from loom.application.jobs.declare import Delivery, Job
from loom.application.jobs.plan import JobPlan
from loom.application.jobs.retry import FIRST_DELAY, LONGEST_DELAY, longest_delay, next_delay
from loom.core import Input, InvalidInput, RuleViolations
from loom.domain.errors import MalformedInput
from loom.testing.clock import FakeClock
from tests.unit.jobs.job_shop import WriteNote
from tests.unit.usecase.store_models import Bound, Mailer


class Complete(Job[int]):
    queue = "mail"
    retries = 3
    countdown = 1.5
    priority = 9
    delivery = "at_least_once"

    def __init__(self, mailer: Mailer) -> None:
        self.mailer = mailer

    async def execute(self, cmd: WriteNote = Input()) -> int:
        return 1


class Wrong(Job[int]):
    queue = ""
    retries = -1
    timeout = 0
    countdown = -0.1
    priority = 10
    delivery = "at_most_onec"
    max_duration = float("inf")
    read_only = True

    async def execute(self, product_id: int, limit: int = 3, cmd: WriteNote = Input()) -> int:
        return 1


class Texts(Job[int]):
    retries = "3"  # type: ignore[assignment]
    timeout = True

    async def execute(self) -> int:
        return 1


class Contradicts(Job[int]):
    retries = 1
    timeout = 901
    delivery = Delivery.AT_MOST_ONCE

    async def execute(self) -> int:
        return 1


class Synchronous(Job[int]):
    def execute(self) -> int:  # type: ignore[override]
        return 1


def refused(job: type[Job[Any]], changes: Changes | None = None) -> dict[str, str]:
    """Code and message of every issue of a job that must not compile."""
    issues = Issues()
    assert compile_job(job, issues, Bound(Mailer()), changes) is None
    return {f"{issue.code} {issue.message}": issue.remedy for issue in issues.found}


def compiled(job: type[Job[Any]], changes: Changes | None = None) -> JobPlan:
    issues = Issues()
    plan = compile_job(job, issues, Bound(Mailer()), changes)
    assert issues.found == []
    assert plan is not None
    return plan


def test_a_plan_holds_what_the_class_says() -> None:
    plan = compiled(Complete)
    assert (plan.name, plan.queue, plan.retries, plan.countdown, plan.priority) == ("Complete", "mail", 3, 1.5, 9)
    assert plan.delivery is Delivery.AT_LEAST_ONCE
    assert (plan.command, plan.result) == (WriteNote, int)


def test_without_a_timeout_the_longest_duration_is_the_limit() -> None:
    assert compiled(Complete).timeout == Complete.max_duration


def test_a_deployment_changes_options() -> None:
    plan = compiled(Complete, {"queue": "slow", "retries": 0, "timeout": 5.0})
    assert (plan.queue, plan.retries, plan.timeout, plan.priority) == ("slow", 0, 5.0, 9)


def test_every_fault_of_a_job_is_told_at_once() -> None:
    found = refused(Wrong)
    assert list(found) == [
        "LOOM-JOB-001 retries -1 is negative",
        "LOOM-JOB-002 timeout 0 is no time at all",
        "LOOM-JOB-002 max_duration inf is no limit",
        "LOOM-JOB-002 countdown -0.1 is negative",
        "LOOM-JOB-002 priority 10 is out of range",
        "LOOM-JOB-007 queue '' is not the name of one",
        "LOOM-JOB-004 delivery 'at_most_onec' does not exist",
        "LOOM-JOB-006 Wrong is read_only, but a job records in its transaction that it has finished",
        "LOOM-JOB-005 Wrong.execute needs 'product_id', but a job is given its command and nothing else",
    ]
    assert found["LOOM-JOB-004 delivery 'at_most_onec' does not exist"] == "did you mean 'at_most_once'?"


def test_values_of_the_wrong_type_are_named() -> None:
    assert list(refused(Texts)) == [
        "LOOM-JOB-003 retries is '3', not a whole number",
        "LOOM-JOB-003 timeout is True, not a number of seconds",
    ]


def test_options_that_contradict_each_other_are_named() -> None:
    assert list(refused(Contradicts)) == [
        "LOOM-JOB-011 timeout 901 s is above max_duration 900 s",
        "LOOM-JOB-012 delivery is at_most_once, yet retries is 1",
    ]


def test_a_job_is_async() -> None:
    assert list(refused(Synchronous)) == ["LOOM-CORE-101 Synchronous has no async execute"]


def test_a_change_by_the_deployment_is_checked_like_the_class() -> None:
    assert list(refused(Complete, {"timeout": 1000.0})) == ["LOOM-JOB-011 timeout 1000 s is above max_duration 900 s"]


def test_names_are_unique_and_changes_name_a_job() -> None:
    """Messages carry the name of the class alone."""
    other = type("Complete", (Complete,), {})
    issues = Issues()
    plans = compile_jobs([Complete, other, Complete], issues, Bound(Mailer()), {"Complet": {"retries": 1}})
    assert list(plans) == ["Complete"]
    assert [(issue.code, issue.where.name) for issue in issues.found] == [
        ("LOOM-JOB-008", "Complete"),
        ("LOOM-JOB-009", "jobs.overrides.Complet"),
    ]
    assert issues.found[1].remedy == "did you mean 'Complete'?"


def test_a_broker_that_would_give_a_job_to_a_second_worker_is_refused() -> None:
    """What counts is the wait and the run together; a broker without such a limit may have any job."""

    class Impatient(InlineJobQueue):
        patience: float | None = None

        def redelivers_after(self) -> float | None:
            return self.patience

    def found(patience: float | None) -> list[str]:
        issues = Issues()
        queue = Impatient(InlineJobsSettings(), clock=FakeClock())
        queue.patience = patience
        check_redelivery([compiled(Complete)], queue, issues)
        return [str(issue) for issue in issues.found]

    # 900 s of work, and 4 s before the third and last retry.
    assert found(None) == found(904.5) == []
    (issue,) = found(904)
    assert "LOOM-JOB-010" in issue
    assert "Complete may wait 4 s and run 900 s, but after 904 s the broker gives it to another worker" in issue
    assert "raise jobs.visibility_timeout above 904" in issue


@given(retries=st.integers(0, 100), error=st.sampled_from([RuntimeError("x"), RuleViolations([])]))
def test_attempts_are_counted_and_the_pauses_grow_to_a_limit(retries: int, error: Exception) -> None:
    """There are exactly as many pauses as retries, none shorter than the one before."""
    pauses: list[float] = []
    while (pause := next_delay(error, attempt=len(pauses) + 1, retries=retries)) is not None:
        pauses.append(pause)
    assert len(pauses) == retries
    assert pauses == sorted(pauses)
    assert all(FIRST_DELAY <= pause <= LONGEST_DELAY for pause in pauses)
    assert longest_delay(retries) == max(pauses, default=0.0)


@given(attempt=st.integers(1, 100), retries=st.integers(0, 100))
def test_what_cannot_get_better_is_not_tried_again(attempt: int, retries: int) -> None:
    """A payload that does not fit fits no better later."""
    assert next_delay(InvalidInput([]), attempt=attempt, retries=retries) is None
    assert next_delay(MalformedInput("x"), attempt=attempt, retries=retries) is None
