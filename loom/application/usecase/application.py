"""Protocol of whatever runs use cases: the executor, the kernel, a fake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from loom.application.usecase.declaration import UseCase
from loom.application.usecase.scope import Scope
from loom.domain.context import Context

R = TypeVar("R")
Before: TypeAlias = Callable[[Scope], Awaitable[None]]
"""Runs first in the scope of a call; what it raises ends the call."""
After: TypeAlias = Callable[[Scope, Any], Awaitable[None]]
"""Takes the result while the scope is still open; what it raises undoes the call."""


class Application(Protocol):
    """Protocol of calling a use case from outside: each call has its own scope."""

    async def invoke(
        self,
        use_case: type[UseCase[Any, R]],
        command: object = None,
        *,
        params: Mapping[str, object] | None = None,
        context: Context | None = None,
        before: Before | None = None,
        after: After | None = None,
    ) -> R:
        """Run a use case in a scope of its own and return its result after the commit.

        Args:
            use_case: the class.
            command: value of the parameter marked ``Input()``.
            params: values of plain parameters by name, already of their types.
            context: who calls; the context that is current where nothing is given.
            before: runs first in the same unit of work: a job claims its message there.
            after: runs last in the same unit of work, with the result: an answer is kept there, or streamed.

        Raises:
            LoomError: whatever the use case, its rules or its stores raise; nothing was kept then.
        """
