"""What the tests of the use-case DSL share: an executor over the memory store, and issues as text."""

from __future__ import annotations

from typing import Any

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.application.compile import Issues
from loom.application.usecase.compiler import compile_use_case
from loom.application.usecase.executor import Executor
from loom.core import RuleViolations, UseCase
from loom.testing.clock import FakeClock
from tests.unit.usecase.store_models import Bound


async def application(*models: type, given: tuple[object, ...] = ()) -> Executor:
    """An executor whose store holds the given rows."""
    store = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
    await store.start(models)
    async with store.begin() as unit:
        for row in given:
            await unit.repository(type(row)).create(row)
        await unit.commit()
    return Executor(store, Bound(), JsonCodec(), FakeClock())


def issues_of(use_case: type[UseCase[Any, Any]], *bound: object) -> list[str]:
    """The issues of a use case, as ``CODE message | remedy``."""
    issues = Issues()
    compile_use_case(use_case, issues, Bound(*bound))
    return [f"{issue.code.removeprefix('LOOM-CORE-')} {issue.message} | {issue.remedy}" for issue in issues.found]


async def violations(app: Executor, use_case: type[UseCase[Any, Any]], command: object, **params: object) -> list[str]:
    """The broken rules of a call, as ``pointer: message``; empty where it succeeds."""
    try:
        await app.invoke(use_case, command, params=params)
    except RuleViolations as error:
        return [f"{fault.pointer}: {fault.message}" for fault in error.errors]
    return []
