"""Protocol of whatever runs use cases: the executor, the kernel, a fake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from loom.application.usecase.declaration import UseCase
from loom.domain.context import Context

R = TypeVar("R")


class Application(Protocol):
    """Protocol of calling a use case from outside: each call has its own scope."""

    async def invoke(
        self,
        use_case: type[UseCase[Any, R]],
        command: object = None,
        *,
        params: Mapping[str, object] | None = None,
        context: Context | None = None,
    ) -> R:
        """Run a use case in a scope of its own and return its result after the commit.

        Args:
            use_case: the class.
            command: value of the parameter marked ``Input()``.
            params: values of plain parameters by name, already of their types.
            context: who calls; the context that is current where nothing is given.

        Raises:
            LoomError: whatever the use case, its rules or its stores raise; nothing was kept then.
        """
