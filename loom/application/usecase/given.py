"""Parameters that the caller gives: those that would say one thing twice, or two things at once."""

from __future__ import annotations

from collections.abc import Sequence

from loom.application.usecase.parameters import Declared, shown
from loom.application.usecase.plan import ParamPlan


def check_given(declared: Declared) -> None:
    """Record headers that two parameters read, and expected versions beside the first, which nobody would give."""
    headers: dict[str, str] = {}
    for plan in declared.given.values():
        first = headers.setdefault(plan.header.lower(), plan.name) if plan.header else plan.name
        if first != plan.name:
            declared.add(
                "LOOM-CORE-127",
                f"{first!r} and {plan.name!r} both read the header {plan.header}",
                "read it once",
            )
    expected = [plan.name for plan in declared.given.values() if plan.source == "expected"]
    if len(expected) > 1:
        declared.add("LOOM-CORE-130", f"more than one ExpectedVersion(): {', '.join(expected)}", "leave one of them")


def once_each(plans: Sequence[ParamPlan], declared: Declared) -> list[ParamPlan]:
    """Each plan once; loads by one parameter of the call that read it as different types are an issue."""
    found: dict[str, ParamPlan] = {}
    for plan in plans:
        first = found.setdefault(plan.name, plan)
        if first.annotation != plan.annotation and not first.passed:
            declared.add(
                "LOOM-CORE-117",
                f"{plan.name!r} is loaded by as {shown(first.annotation)} and as {shown(plan.annotation)}",
                'name two parameters of the call: LoadById(..., by="book_id")',
            )
    return list(found.values())
