"""From job classes to their plans, or to all their issues. Codes ``LOOM-JOB-0xx``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from loom.application.compile import Issues, place_of
from loom.application.jobs.declare import Delivery, Job
from loom.application.jobs.plan import JobPlan
from loom.application.usecase.compiler import compile_use_case
from loom.application.wiring import Resolver
from loom.domain.errors import Place
from loom.domain.frozen import frozen
from loom.ports.jobs import JobQueue

Changes = Mapping[str, object]
"""What a deployment changes about one job: attribute to value."""

_OPTIONS = ("queue", "retries", "timeout", "countdown", "priority", "delivery", "max_duration")


@frozen
class _Check:
    """One rule about one option; ``holds`` is asked only where the value is a number."""

    code: str
    option: str
    holds: Callable[[float], bool]
    fault: str
    remedy: str


_CHECKS = (
    _Check("LOOM-JOB-001", "retries", lambda n: n >= 0, "is negative", "0 means one attempt and no other"),
    _Check("LOOM-JOB-002", "timeout", lambda n: n > 0, "is no time at all", "say how many seconds an attempt may take"),
    _Check("LOOM-JOB-002", "max_duration", lambda n: 0 < n < math.inf, "is no limit", "say a number of seconds"),
    _Check("LOOM-JOB-002", "countdown", lambda n: n >= 0, "is negative", "0 runs the job as soon as it can"),
    _Check("LOOM-JOB-002", "priority", lambda n: 0 <= n <= 9, "is out of range", "say 0 (normal) to 9 (first)"),
)


def compile_jobs(
    jobs: Iterable[type[Job[Any]]],
    issues: Issues,
    resolver: Resolver,
    changes: Mapping[str, Changes] | None = None,
) -> dict[str, JobPlan]:
    """Compile all jobs of a deployment.

    Args:
        jobs: the classes.
        issues: takes everything that is wrong.
        resolver: asked which constructor arguments the container can give.
        changes: what the deployment changes, by the name of the job.

    Returns:
        The plans by name; those that had no issue.
    """
    changes = changes or {}
    plans: dict[str, JobPlan] = {}
    seen: dict[str, type[Job[Any]]] = {}
    for job in jobs:
        first = seen.setdefault(job.__name__, job)
        if first is not job:
            message = f"two jobs are named {job.__name__}; the other stands at {place_of(first)}"
            issues.add("LOOM-JOB-008", job, message, "rename one: messages carry the name of the class alone")
            continue
        plan = compile_job(job, issues, resolver, changes.get(job.__name__))
        if plan is not None:
            plans[plan.name] = plan
    for name in changes:
        if name not in seen:
            issues.unknown("LOOM-JOB-009", Place(name=f"jobs.overrides.{name}"), "job", name, seen)
    return plans


def compile_job(
    job: type[Job[Any]], issues: Issues, resolver: Resolver, changes: Changes | None = None
) -> JobPlan | None:
    """Compile one job; see ``compile_jobs``. ``None`` where an issue was recorded."""
    before = len(issues.found)
    where = place_of(job)
    options = {name: getattr(job, name) for name in _OPTIONS} | dict(changes or {})
    use_case = compile_use_case(job, issues, resolver)
    _check_numbers(options, where, issues)
    _check_texts(options, where, issues)
    if len(issues.found) == before:
        _check_together(options, where, issues)
    if job.read_only:
        issues.add(
            "LOOM-JOB-006",
            where,
            f"{job.__name__} is read_only, but a job records in its transaction that it has finished",
            "leave read_only out",
        )
    for param in use_case.params if use_case is not None else ():
        if param.given and param.required:
            issues.add(
                "LOOM-JOB-005",
                where,
                f"{job.__name__}.execute needs {param.name!r}, but a job is given its command and nothing else",
                "make it a field of the command",
            )
    if use_case is None or len(issues.found) > before:
        return None
    options["timeout"] = options["timeout"] or options["max_duration"]
    options["delivery"] = Delivery(options["delivery"])
    return JobPlan(name=job.__name__, use_case=use_case, **options)


def check_redelivery(plans: Iterable[JobPlan], queue: JobQueue, issues: Issues) -> None:
    """Refuse jobs that the broker would hand to a second worker while the first still has them."""
    patience = queue.redelivers_after()
    for plan in plans if patience is not None else ():
        longest = plan.timeout + plan.longest_wait
        if patience is not None and patience <= longest:
            issues.add(
                "LOOM-JOB-010",
                plan.place,
                f"{plan.name} may wait {plan.longest_wait:g} s and run {plan.timeout:g} s, but after {patience:g} s "
                "the broker gives it to another worker, which would run it a second time",
                f"raise jobs.visibility_timeout above {longest:g}, or shorten the job's timeout, countdown or retries",
            )


def _check_numbers(options: Mapping[str, Any], where: Place, issues: Issues) -> None:
    for check in _CHECKS:
        value = options[check.option]
        if value is None and check.option == "timeout":
            continue
        whole = check.option in ("retries", "priority")
        wanted: Any = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted):
            kind = "a whole number" if whole else "a number of seconds"
            issues.add("LOOM-JOB-003", where, f"{check.option} is {value!r}, not {kind}", f"write {kind}")
        elif not check.holds(value):
            issues.add(check.code, where, f"{check.option} {value!r} {check.fault}", check.remedy)


def _check_texts(options: Mapping[str, Any], where: Place, issues: Issues) -> None:
    if not isinstance(options["queue"], str) or not options["queue"]:
        issues.add(
            "LOOM-JOB-007", where, f"queue {options['queue']!r} is not the name of one", 'write queue = "default"'
        )
    if options["delivery"] not in list(Delivery):
        issues.unknown("LOOM-JOB-004", where, "delivery", str(options["delivery"]), [each.value for each in Delivery])


def _check_together(options: Mapping[str, Any], where: Place, issues: Issues) -> None:
    timeout, longest = options["timeout"], options["max_duration"]
    if timeout is not None and timeout > longest:
        issues.add(
            "LOOM-JOB-011",
            where,
            f"timeout {timeout:g} s is above max_duration {longest:g} s",
            "lower the timeout, or raise max_duration in the class",
        )
    if options["delivery"] == Delivery.AT_MOST_ONCE and options["retries"]:
        issues.add(
            "LOOM-JOB-012",
            where,
            f"delivery is at_most_once, yet retries is {options['retries']}",
            "set retries = 0, or let it be delivered at least once",
        )
