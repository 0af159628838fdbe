"""The executor: the one owner of transactions. Every entry point (HTTP, job, stream, CLI, test) calls it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Token
from types import TracebackType
from typing import Any, NoReturn, TypeVar

import attrs

from loom.application.compile import Issues, meant
from loom.application.repositories import RepositoryBuilder
from loom.application.usecase.application import After, Before
from loom.application.usecase.compiler import compile_use_case
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import Call, UseCasePlan
from loom.application.usecase.scope import Scope
from loom.application.wiring import Resolver
from loom.domain.context import Context, current_context
from loom.domain.errors import FieldError, InvalidInput, RuleViolations, ScopeClosed, ScopeFailed
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.persistence import Persistence, UnitOfWork

R = TypeVar("R")
_NO_PARAMS: Mapping[str, object] = {}


@attrs.define(eq=False, repr=False)
class Executor:
    """Runs use cases, each call in a scope of its own.

    Args:
        persistence: opens the units of work.
        resolver: gives what constructors ask for.
        codec: encodes events for the outbox.
        clock: dates outbox records.
        on_outbox: called after a commit that left records in the outbox; wakes the relay.
    """

    persistence: Persistence
    resolver: Resolver
    codec: Codec
    clock: Clock
    on_outbox: Callable[[], None] = lambda: None
    _plans: dict[type, UseCasePlan] = attrs.field(factory=dict, init=False)
    _repositories: list[RepositoryBuilder | None] = attrs.field(factory=list, init=False)

    def compile(self, use_cases: Iterable[type[UseCase[Any, Any]]], issues: Issues) -> None:
        """Compile use cases ahead of their first call; their issues go to ``issues``."""
        for use_case in use_cases:
            plan = compile_use_case(use_case, issues, self.resolver)
            if plan is not None:
                self._plans[use_case] = plan

    def adopt(self, plan: UseCasePlan) -> None:
        """Take a plan that another compiler (of routes, of jobs) has made already."""
        self._plans.setdefault(plan.use_case, plan)

    @property
    def plans(self) -> Sequence[UseCasePlan]:
        """Every plan that was compiled or taken so far."""
        return tuple(self._plans.values())

    def plan(self, use_case: type[UseCase[Any, Any]]) -> UseCasePlan:
        """The plan of a use case; compiled now if it was not compiled at the start.

        Raises:
            CompileError: with all its issues.
        """
        found = self._plans.get(use_case)
        if found is None:
            issues = Issues()
            self.compile([use_case], issues)
            issues.raise_if_any()
            found = self._plans[use_case]
        return found

    def invoke(
        self,
        use_case: type[UseCase[Any, R]],
        command: object = None,
        *,
        params: Mapping[str, object] | None = None,
        context: Context | None = None,
        before: Before | None = None,
        after: After | None = None,
    ) -> Coroutine[Any, Any, R]:
        """Run a use case in a scope of its own; see ``Application.invoke``."""
        plan = self._plans.get(use_case) or self.plan(use_case)
        given = params or _NO_PARAMS
        if plan.storeless and before is None and after is None:
            return self._run_storeless(plan, context, command, given)
        return self._run_in_scope(plan, context, command, given, before, after)

    def open_scope(self, context: Context | None = None, *, read_only: bool = False) -> OpenScope:
        """Open a scope. It commits at the end of the block, and rolls back where the block or a nested call raised.

        Raises:
            ScopeFailed: a nested call failed and the block caught its error.
        """
        return OpenScope(self, context, read_only)

    def builder(self) -> RepositoryBuilder | None:
        """What makes the repositories of the project, where something is bound; asked for with the first scope."""
        if not self._repositories:
            known = self.resolver.knows(RepositoryBuilder)
            self._repositories.append(self.resolver.resolve(RepositoryBuilder) if known else None)
        return self._repositories[0]

    async def run(self, plan: UseCasePlan, scope: Scope, command: object, params: Mapping[str, object]) -> object:
        """Run a compiled use case inside an open scope: computes, loads, rules, ``execute``."""
        if scope.read_only and not plan.read_only:
            raise ScopeClosed(
                f"{plan.name} writes, but the scope that calls it is read-only",
                remedy="set read_only = False on the outer use case",
            )
        if type(command) is not plan.taken:
            _check_command(plan, command)
        if params and not plan.names.issuperset(params):
            raise _unknown(plan, params)
        if plan.plain:
            return await self._construct(plan, scope).execute()
        call = Call(scope, command, params, plan.narrow)
        for compute in plan.computes:
            compute(call)
        values = call.values
        for param in plan.params:
            value = param.read(call)
            values[param.name] = await value if param.waits else value
        if plan.rules:
            _check_rules(plan, call)
        instance = self._construct(plan, scope)
        if plan.passed is not None:
            values = {name: values[name] for name in plan.passed}
        return await instance.execute(**values)

    async def _run_in_scope(
        self,
        plan: UseCasePlan,
        context: Context | None,
        command: object,
        params: Mapping[str, object],
        before: Before | None,
        after: After | None,
    ) -> Any:
        async with OpenScope(self, context, plan.read_only) as scope:
            if before is not None:
                await before(scope)
            result = await self.run(plan, scope, command, params)
            if after is not None:
                await after(scope, result)
        return result

    async def _run_storeless(
        self, plan: UseCasePlan, context: Context | None, command: object, params: Mapping[str, object]
    ) -> Any:
        context = context or current_context.get() or Context()
        scope = Scope(context, _NO_STORE, self.codec, self.clock, True)
        token = current_context.set(context)
        try:
            return await self.run(plan, scope, command, params)
        finally:
            scope.closed = True
            current_context.reset(token)

    def _construct(self, plan: UseCasePlan, scope: Scope) -> UseCase[Any, Any]:
        instance: UseCase[Any, Any]
        if plan.dependencies:
            instance = plan.use_case(**{wanted.name: wanted.build(scope, self) for wanted in plan.dependencies})
        else:
            instance = plan.use_case()
        instance._loom_scope = scope
        instance._loom_model = plan.main
        return instance


class OpenScope:
    """The block of one scope; see ``Executor.open_scope``.

    A class and not a generator: every request passes here, and a generator as context manager takes twice as long.
    """

    __slots__ = ("_begun", "_context", "_executor", "_read_only", "_scope", "_token")

    _begun: AbstractAsyncContextManager[UnitOfWork]
    _scope: Scope
    _token: Token[Context | None]

    def __init__(self, executor: Executor, context: Context | None, read_only: bool) -> None:
        self._executor = executor
        self._context = context
        self._read_only = read_only

    async def __aenter__(self) -> Scope:
        executor = self._executor
        context = self._context or current_context.get() or Context()
        self._token = current_context.set(context)
        try:
            self._begun = executor.persistence.begin(read_only=self._read_only)
            unit = await self._begun.__aenter__()
        except BaseException:
            current_context.reset(self._token)
            raise
        self._scope = Scope(context, unit, executor.codec, executor.clock, self._read_only, executor.builder())
        return self._scope

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        scope = self._scope
        written = 0
        try:
            if error is None:
                try:
                    if scope.failure is not None:
                        raise _failed(scope.failure) from scope.failure
                    if scope.records:
                        written = await scope.flush()
                    await scope.unit.commit()
                except BaseException as failed:
                    scope.closed = True
                    await self._begun.__aexit__(type(failed), failed, failed.__traceback__)
                    raise
            scope.closed = True
            await self._begun.__aexit__(kind, error, trace)
            if written:
                self._executor.on_outbox()
        finally:
            current_context.reset(self._token)


class _NoStore:
    """The unit of work of a call whose plan says that it needs none."""

    def __getattr__(self, name: str) -> NoReturn:
        raise ScopeClosed(
            "this use case has no unit of work: it is read_only and names no model",
            remedy="name its model, or ask for Repository[Model] in the constructor",
        )


_NO_STORE: Any = _NoStore()


def _failed(failure: BaseException) -> ScopeFailed:
    return ScopeFailed(
        f"a nested use case failed: {failure}",
        remedy="let the error pass, or call that use case in a scope of its own",
    )


def _check_command(plan: UseCasePlan, command: object) -> None:
    if plan.command is None:
        if command is not None:
            raise InvalidInput([FieldError(path=(), message=f"{plan.name} takes no command")], subject="command")
    elif not isinstance(command, plan.taken):
        message = f"{plan.name} takes a {plan.command.__name__}, not {type(command).__name__}"
        raise InvalidInput([FieldError(path=(), message=message)], subject="command")


def _unknown(plan: UseCasePlan, params: Mapping[str, object]) -> InvalidInput:
    faults = []
    for name in sorted(params.keys() - plan.names):
        message = meant(f"is no parameter of {plan.name}", name, plan.names)
        faults.append(FieldError(path=(name,), message=message, code="unknown"))
    return InvalidInput(faults, subject="parameters")


def _check_rules(plan: UseCasePlan, call: Call) -> None:
    failures = [failure for rule in plan.rules for failure in rule(call, call.command)]
    if failures:
        raise RuleViolations(failures)
