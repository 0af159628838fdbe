"""From a use case class to its plan, or to all its issues."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import attrs

from loom.application.compile import Issues, place_of
from loom.application.generics import type_arguments
from loom.application.usecase.compute import compile_compute
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.markers import MARKERS, Declared, InputMarker, plain_param
from loom.application.usecase.plan import DependencyPlan, ParamPlan, UseCasePlan
from loom.application.usecase.rule import compile_rule
from loom.application.usecase.scope import SCOPED, Scope
from loom.application.wiring import Resolver
from loom.domain.context import Context
from loom.domain.errors import Place
from loom.domain.model import ModelSchema, is_entity, schema_of
from loom.ports.persistence import Repository


def compile_use_case(use_case: type[UseCase[Any, Any]], issues: Issues, resolver: Resolver) -> UseCasePlan | None:
    """Compile a use case.

    Args:
        use_case: the class.
        issues: takes everything that is wrong, with codes ``LOOM-CORE-1xx``.
        resolver: asked which constructor arguments the container can give.

    Returns:
        The plan, or ``None`` where an issue was recorded.
    """
    before = len(issues.found)
    where = place_of(use_case)
    hints = _hints(use_case, where, issues)
    if hints is None:
        return None
    signature = _signature(use_case)
    command = _command(signature, hints, where, issues)
    params = _params(signature, hints, command, where, issues)
    arguments = type_arguments(use_case, UseCase)
    model = _model(arguments, where, issues)
    plain = {plan.name: plan.annotation for plan in params if plan.source == "param"}
    values = [plan.name for plan in params]
    computes = [compile_compute(compute, command, plain, where, issues) for compute in use_case.computes]
    rules = [compile_rule(rule, command, values, where, issues) for rule in use_case.rules]
    dependencies = _dependencies(use_case, where, issues, resolver)
    if len(issues.found) > before:
        return None
    return UseCasePlan(
        use_case=use_case,
        model=model,
        command=command.model if command else None,
        result=hints.get("return", arguments[1] if len(arguments) == 2 else Any),
        params=tuple(params),
        dependencies=tuple(dependencies),
        computes=tuple(compute for compute in computes if compute),
        rules=tuple(rule for rule in rules if rule),
        read_only=use_case.read_only,
        place=where,
    )


def _hints(use_case: type, where: Place, issues: Issues) -> dict[str, Any] | None:
    execute = _overridden(use_case, "execute")
    if execute is None or not inspect.iscoroutinefunction(execute):
        issues.add(
            "LOOM-CORE-101",
            where,
            f"{use_case.__name__} has no async execute",
            "define async def execute(self, ...) in the class",
        )
        return None
    try:
        return typing.get_type_hints(execute, include_extras=True)
    except NameError as error:
        issues.add(
            "LOOM-CORE-102",
            where,
            f"an annotation of {use_case.__name__}.execute cannot be resolved: {error}",
            "import the name at module level, outside TYPE_CHECKING",
        )
        return None


def _overridden(use_case: type, name: str) -> Any:
    """The attribute as a subclass of ``UseCase`` defines it, or ``None`` where only the base does."""
    found = getattr(use_case, name)
    return None if found is getattr(UseCase, name) else found


def _signature(use_case: type[UseCase[Any, Any]]) -> list[inspect.Parameter]:
    return list(inspect.signature(use_case.execute).parameters.values())[1:]


def _command(
    signature: list[inspect.Parameter], hints: dict[str, Any], where: Place, issues: Issues
) -> ModelSchema | None:
    inputs = [parameter for parameter in signature if isinstance(parameter.default, InputMarker)]
    if len(inputs) > 1:
        names = ", ".join(parameter.name for parameter in inputs)
        issues.add("LOOM-CORE-107", where, f"more than one Input(): {names}", "put the fields into one command")
    if not inputs:
        return None
    annotation = hints.get(inputs[0].name)
    try:
        if not isinstance(annotation, type) or not attrs.has(annotation):
            raise TypeError(f"{inputs[0].name!r} is not annotated with an attrs class")
        return schema_of(annotation)
    except TypeError as error:
        issues.add("LOOM-CORE-108", where, f"Input(): {error}", "annotate it with a @command class")
        return None


def _params(
    signature: list[inspect.Parameter],
    hints: dict[str, Any],
    command: ModelSchema | None,
    where: Place,
    issues: Issues,
) -> list[ParamPlan]:
    plain = {
        parameter.name: hints.get(parameter.name, Any)
        for parameter in signature
        if MARKERS.of(parameter.default) is None
    }
    declared = Declared(where=where, issues=issues, command=command, plain=plain)
    plans: list[ParamPlan] = []
    for parameter in signature:
        if parameter.name not in hints:
            issues.add(
                "LOOM-CORE-109", where, f"parameter {parameter.name!r} has no annotation", "annotate it with its type"
            )
            continue
        behaviour = MARKERS.of(parameter.default)
        if behaviour is not None:
            plans.extend(behaviour(parameter.name, hints[parameter.name], parameter.default, declared))
        else:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            plans.append(plain_param(parameter.name, hints[parameter.name], default=default))
    # Two loads by one path key would ask for it twice.
    return list({plan.name: plan for plan in plans}.values())


def _model(arguments: tuple[Any, ...], where: Place, issues: Issues) -> type | None:
    model = arguments[0] if arguments else None
    if not isinstance(model, type) or model is type(None):
        return None
    if not is_entity(model):
        issues.add(
            "LOOM-CORE-113",
            where,
            f"the main model {model.__name__} is not an entity",
            "decorate it with @entity(table=...), or name None where the use case has no model",
        )
    return model


def _dependencies(use_case: type, where: Place, issues: Issues, resolver: Resolver) -> list[DependencyPlan]:
    constructor: Any = inspect.getattr_static(use_case, "__init__")
    if constructor is object.__init__:
        return []
    hints = typing.get_type_hints(constructor)
    plans = []
    for parameter in list(inspect.signature(constructor).parameters.values())[1:]:
        wanted = hints.get(parameter.name)
        build = _builder(wanted, resolver)
        if build is not None:
            plans.append(DependencyPlan(name=parameter.name, build=build))
        elif parameter.default is inspect.Parameter.empty:
            issues.add(
                "LOOM-CORE-114",
                where,
                f"nothing is bound to {getattr(wanted, '__name__', wanted)!s}, "
                f"which {use_case.__name__}({parameter.name}: ...) asks for",
                "bind it: kernel.bind(Type, instance)",
            )
    return plans


def _builder(wanted: Any, resolver: Resolver) -> Any:
    if typing.get_origin(wanted) is Repository:
        model = typing.get_args(wanted)[0]
        return lambda scope, executor: scope.repository(model)
    if wanted is Scope or wanted is Context:
        return lambda scope, executor: scope if wanted is Scope else scope.context
    # EtlEngine[Any] is bound as EtlEngine: a container knows classes, not their arguments.
    bound = typing.get_origin(wanted) or wanted
    if not isinstance(bound, type):
        return None
    scoped = SCOPED.get(bound)
    if scoped is not None:
        return scoped
    return (lambda scope, executor: resolver.resolve(bound)) if resolver.knows(bound) else None
