"""The plan of a use case: everything that is decided before the first call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from loom.application.usecase.scope import Scope
from loom.domain.absent import Absent
from loom.domain.errors import FieldError, InvalidInput, Place


@attrs.define(eq=False)
class Call:
    """One call while it runs: the scope, the command after its computes, and the values by parameter name."""

    scope: Scope
    command: Any
    params: Mapping[str, object]
    values: dict[str, object] = attrs.field(factory=dict)

    def param(self, name: str, default: object = ...) -> Any:
        """The value of a parameter of the call.

        Raises:
            InvalidInput: it was not given and has no default.
        """
        found = self.params.get(name, default)
        if found is ...:
            raise InvalidInput([FieldError(path=(name,), message="is missing", code="missing")], subject="parameters")
        return found

    @staticmethod
    def present(value: object) -> object:
        """``None`` for a patch field that was not sent."""
        return None if isinstance(value, Absent) else value


@attrs.frozen(kw_only=True)
class ParamPlan:
    """One parameter of ``execute``, or a hidden one that a load needs (``passed`` is false then).

    ``source`` is ``command``, ``param``, ``load`` or ``exists``. ``read`` gives the value; it is a coroutine function
    where ``waits`` is true.
    """

    name: str
    annotation: Any
    source: str
    read: Callable[[Call], Any]
    waits: bool = False
    passed: bool = True
    required: bool = True
    model: type | None = None


@attrs.frozen(kw_only=True)
class DependencyPlan:
    """One argument of the constructor and how to get it for a scope; the second argument is the executor."""

    name: str
    build: Callable[[Scope, Any], object]


@attrs.frozen(kw_only=True)
class UseCasePlan:
    """A compiled use case. ``params`` stand in the order of the signature, hidden ones before their load."""

    use_case: type
    model: type | None
    command: type | None
    result: Any
    params: tuple[ParamPlan, ...]
    dependencies: tuple[DependencyPlan, ...]
    computes: tuple[Callable[[Call], None], ...]
    rules: tuple[Callable[[Call], FieldError | None], ...]
    read_only: bool
    place: Place

    @property
    def name(self) -> str:
        """Name of the use case's class."""
        return self.use_case.__name__


Invoke = Callable[[Scope], Awaitable[object]]
