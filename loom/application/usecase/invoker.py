"""``ApplicationInvoker``: calls another use case by type, in the same unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, cast

import attrs

from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import UseCasePlan
from loom.application.usecase.scope import SCOPED, Scope

R = TypeVar("R")


class ScopedExecutor(Protocol):
    """Protocol of what the invoker needs of the executor. Keeps the compiler out of ``import loom.core``."""

    def plan(self, use_case: type[UseCase[Any, Any]]) -> UseCasePlan:
        """The plan of a use case."""

    async def run(self, plan: UseCasePlan, scope: Scope, command: object, params: Mapping[str, object]) -> object:
        """Run a plan inside an open scope."""


@attrs.frozen(eq=False, repr=False)
class ApplicationInvoker:
    """Asked for in a use case's constructor. What it calls commits or fails together with the caller."""

    _executor: ScopedExecutor
    _scope: Scope

    async def invoke(
        self,
        use_case: type[UseCase[Any, R]],
        command: object = None,
        *,
        params: Mapping[str, object] | None = None,
    ) -> R:
        """Run a use case inside the current scope.

        Raises:
            LoomError: what the use case raises. Catching it does not save the scope: the whole rolls back.
        """
        try:
            plan = self._executor.plan(use_case)
            return cast("R", await self._executor.run(plan, self._scope, command, params or {}))
        except BaseException as error:
            self._scope.fail(error)
            raise


SCOPED[ApplicationInvoker] = lambda scope, executor: ApplicationInvoker(executor, scope)
