"""``UseCase``: one thing that the application does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from loom.application.usecase.compute import Compute
from loom.application.usecase.rule import Rule
from loom.application.usecase.scope import Scope
from loom.domain.errors import ScopeClosed
from loom.domain.visibility import RowFilters
from loom.ports.persistence import Repository

M = TypeVar("M")
R = TypeVar("R")


class UseCase(Generic[M, R]):
    """Base of use cases over a main model ``M`` (``None`` where there is none) with the result ``R``.

    Subclasses define ``async def execute(self, ...) -> R``. Its parameters say where their values come from:
    ``Input()``, ``LoadById(...)``, ``Load(...)``, ``Exists(...)``, ``Header(...)``, ``Query()``, or no marker for a
    parameter of the call (path, query string). What makes something new may return ``Created[T]``. A constructor may
    ask for repositories (``Repository[Airline]``), the ``ApplicationInvoker``, and any type that the container knows;
    one object is made for each call.

    Attributes:
        computes: fill fields of the command before anything else, in order; they see nothing that is loaded.
        rules: must all hold before ``execute``; their failures are reported together.
        read_only: opens no transaction; may not write, emit, or invoke a use case that is not read-only.
    """

    computes: ClassVar[Sequence[Compute]] = ()
    rules: ClassVar[Sequence[Rule]] = ()
    read_only: ClassVar[bool] = False

    # Set by the executor after construction, so that subclasses need not call super().__init__.
    _loom_scope: Scope
    _loom_model: type[M]

    async def execute(self, *args: Any, **kwargs: Any) -> R:
        """Do the work. Subclasses give this their own parameters."""
        raise NotImplementedError

    @property
    def main_repo(self) -> Repository[M]:
        """The repository of the main model, in the unit of work of this call.

        Raises:
            ScopeClosed: used outside a call.
        """
        return self._scope().repository(self._loom_model, self._filters())

    def emit(self, event: object) -> None:
        """Record a domain event: stored with the change, in the same transaction, and relayed after the commit.

        Raises:
            ScopeClosed: used outside a call.
        """
        self._scope().emit(event)

    def _filters(self) -> RowFilters | None:
        """Which rows of other models this call sees; all of them where nothing says otherwise."""
        return None

    def _scope(self) -> Scope:
        scope: Scope | None = getattr(self, "_loom_scope", None)
        if scope is None:
            raise ScopeClosed(
                f"{type(self).__name__} runs outside a scope",
                remedy="call it through the application: await app.invoke(UseCase, command)",
            )
        return scope
