"""The plan of a use case: everything that is decided before the first call."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from loom.application.repositories import model_of
from loom.application.usecase.scope import Scope
from loom.domain.absent import Absent
from loom.domain.errors import FieldError, InvalidInput, LoomError, Place
from loom.domain.frozen import frozen
from loom.ports.persistence import Repository


@attrs.define(eq=False, repr=False)
class Call:
    """One call while it runs: the scope, the command after its computes, and the values by parameter name."""

    scope: Scope
    command: Any
    params: Mapping[str, object]
    narrow: Narrow | None = None
    values: dict[str, object] = attrs.field(factory=dict)

    def repository(self, model: type) -> Repository[Any]:
        """The repository that loads ask: of the rows that the use case may know."""
        found: Repository[Any] = self.scope.repository(model)
        return found if self.narrow is None else self.narrow(self, model, found)

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


Narrow = Callable[[Call, type, Repository[Any]], Repository[Any]]
"""Narrows the repository of a model to the rows that a use case may know, where something narrows them."""
GENERATED: Final = "_loom_operation"
"""The attribute of a generated use case that names its operation. What derives from it may give something else."""
NARROW: Final = "_loom_narrow"
"""The attribute of a use case class that holds one, for what its parameters load."""

CompiledRule = Callable[[Call, Any], Sequence[FieldError]]
"""Takes the call and the value whose fields the rule reads (the command, or one item of a list); gives the failures."""


@frozen(kw_only=True)
class ParamPlan:
    """One parameter of ``execute``, or a hidden one that a load needs (``passed`` is false then).

    Attributes:
        source: ``command``; ``param``, ``header``, ``query`` (a ``Query``) or ``expected`` (a version), which the
            caller gives by name; ``load`` or ``exists``.
        read: gives the value; a coroutine function where ``waits`` is true.
        default: of a parameter that the caller may leave out, else ``...``.
        header: name of the HTTP header, where the source is one.
        path: what a failure over the parameter points at.
        raises: errors by which it ends the call.
    """

    name: str
    annotation: Any
    source: str
    read: Callable[[Call], Any]
    waits: bool = False
    passed: bool = True
    default: object = ...
    model: type | None = None
    header: str = ""
    path: tuple[str, ...] = ()
    raises: tuple[type[LoomError], ...] = ()

    @property
    def given(self) -> bool:
        """Whether the caller gives it by name."""
        return self.source in ("param", "header", "query", "expected")

    @property
    def required(self) -> bool:
        """Whether a caller that leaves it out is told so."""
        return self.default is ...


@frozen(kw_only=True)
class DependencyPlan:
    """One argument of the constructor and how to get it for a scope; the second argument is the executor.

    ``scoped`` is whether the scope's unit of work can be reached through it.
    """

    name: str
    wanted: Any
    build: Callable[[Scope, Any], object]
    scoped: bool = True


@frozen(kw_only=True)
class UseCasePlan:
    """A compiled use case. ``params`` stand in the order of the signature, hidden ones before their load.

    What follows from the rest is kept as well, for the calls:

    Attributes:
        main: the model; the class of ``None`` where there is none.
        taken: class of the command; that of ``None`` where there is none.
        plain: whether there is nothing to do before ``execute``.
        passed: names of the parameters that ``execute`` takes, where some are hidden; else ``None``.
        storeless: whether nothing in it can reach the store, so that a call needs no unit of work.
        narrow: narrows what its parameters load.
        names: of the parameters that the caller gives.
    """

    use_case: type
    model: type | None
    command: type | None
    result: Any
    params: tuple[ParamPlan, ...]
    dependencies: tuple[DependencyPlan, ...]
    computes: tuple[Callable[[Call], None], ...]
    rules: tuple[CompiledRule, ...]
    read_only: bool
    place: Place
    main: type = attrs.field(init=False)
    taken: type = attrs.field(init=False)
    plain: bool = attrs.field(init=False)
    passed: tuple[str, ...] | None = attrs.field(init=False)
    storeless: bool = attrs.field(init=False)
    narrow: Narrow | None = attrs.field(init=False)
    names: frozenset[str] = attrs.field(init=False)

    @main.default
    def _main(self) -> type:
        return self.model or type(None)

    @taken.default
    def _taken(self) -> type:
        return type(None) if self.command is None else typing.get_origin(self.command) or self.command

    @plain.default
    def _plain(self) -> bool:
        return not (self.params or self.computes or self.rules)

    @passed.default
    def _passed(self) -> tuple[str, ...] | None:
        names = tuple(param.name for param in self.params if param.passed)
        return names if len(names) < len(self.params) else None

    @storeless.default
    def _storeless(self) -> bool:
        # Whatever may write may emit as well, and events are stored.
        return (
            self.read_only
            and self.model is None
            and all(param.model is None for param in self.params)
            and not any(wanted.scoped for wanted in self.dependencies)
        )

    @names.default
    def _names(self) -> frozenset[str]:
        return frozenset(param.name for param in self.params if param.given)

    @narrow.default
    def _narrow(self) -> Narrow | None:
        return getattr(self.use_case, NARROW, None)

    @property
    def name(self) -> str:
        """Name of the use case's class."""
        return self.use_case.__name__

    @property
    def models(self) -> Iterator[type]:
        """The models whose repositories it uses: its own, those of its loads, those that its constructor asks for."""
        asked = (_asked_for(each.wanted) for each in self.dependencies)
        return (each for each in (self.model, *(param.model for param in self.params), *asked) if each is not None)


def _asked_for(wanted: Any) -> Any:
    return typing.get_args(wanted)[0] if typing.get_origin(wanted) is Repository else model_of(wanted)


Invoke = Callable[[Scope], Awaitable[object]]
