"""From a use case class to its plan, or to all its issues."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import attrs

import loom.application.usecase.expected
import loom.application.usecase.loads  # noqa: F401 - registers the markers that ask the store
from loom.application.compile import Issues, place_of
from loom.application.generics import type_arguments
from loom.application.usecase.command_fields import check_command
from loom.application.usecase.compute_compile import compile_computes
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.dependencies import compile_dependencies
from loom.application.usecase.fields import Scene
from loom.application.usecase.given import check_given, once_each
from loom.application.usecase.markers import InputMarker
from loom.application.usecase.options import check_options
from loom.application.usecase.parameters import MARKERS, Declared, MarkerKind, plain_param, unmarked
from loom.application.usecase.plan import GENERATED, ParamPlan, UseCasePlan
from loom.application.usecase.read_only import check_read_only
from loom.application.usecase.result import check_result
from loom.application.usecase.rule_compile import compile_rules
from loom.application.wiring import Resolver
from loom.domain.errors import Place
from loom.domain.model import ModelSchema, is_entity, schema_of


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
    signature = _signature(use_case, where, issues)
    many = _many(signature, hints)
    command = None if many is not None else _command(signature, hints, where, issues)
    declared = Declared(where=where, issues=issues, command=command, given={}, many=many is not None)
    if command is not None:
        check_command(command, declared)
    check_options(use_case, where, issues)
    params = _params(signature, hints, declared)
    arguments = type_arguments(use_case, UseCase)
    model = _model(arguments, where, issues)
    if len(arguments) == 2 and "return" in hints and not hasattr(use_case, GENERATED):
        check_result(use_case, arguments[1], hints["return"], where, issues)
    scene = Scene(
        subject=command,
        models=() if model is None else (model,),
        params={plan.name: plan for plan in params},
        where=where,
        issues=issues,
    )
    computes = compile_computes(use_case.computes, scene)
    rules = compile_rules(use_case.rules, scene)
    dependencies = compile_dependencies(use_case, where, issues, resolver)
    if use_case.read_only:
        check_read_only(use_case, dependencies, where, issues)
    if len(issues.found) > before:
        return None
    return UseCasePlan(
        use_case=use_case,
        model=model,
        command=command.model if command else many,
        result=hints.get("return", arguments[1] if len(arguments) == 2 else Any),
        params=tuple(params),
        dependencies=tuple(dependencies),
        computes=computes,
        rules=rules,
        read_only=use_case.read_only,
        place=where,
    )


def _hints(use_case: type, where: Place, issues: Issues) -> dict[str, Any] | None:
    execute = _overridden(use_case, "execute")
    if isinstance(inspect.getattr_static(use_case, "execute"), staticmethod | classmethod):
        execute = None
    if inspect.isasyncgenfunction(execute):
        issues.add(
            "LOOM-CORE-101",
            where,
            f"{use_case.__name__}.execute yields its values itself",
            "write async def execute(self, ...) that returns an iterator: return self.main_repo.stream(query)",
        )
        return None
    if execute is None or not inspect.iscoroutinefunction(execute):
        issues.add(
            "LOOM-CORE-101",
            where,
            f"{use_case.__name__} has no async execute",
            "define async def execute(self, ...) in the class; the name of a base class begins with an underscore",
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


def _signature(use_case: type[UseCase[Any, Any]], where: Place, issues: Issues) -> list[inspect.Parameter]:
    found = list(inspect.signature(use_case.execute).parameters.values())[1:]
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for parameter in found:
        if parameter.kind not in named:
            issues.add(
                "LOOM-CORE-109",
                where,
                f"parameter {str(parameter).partition(':')[0]!r} cannot be given by name",
                "declare every parameter by its name and type",
            )
    return [parameter for parameter in found if parameter.kind in named]


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


def _many(signature: list[inspect.Parameter], hints: dict[str, Any]) -> Any:
    """The type of a command that is a list of commands, or ``None``."""
    inputs = [parameter for parameter in signature if isinstance(parameter.default, InputMarker)]
    annotation = hints.get(inputs[0].name) if len(inputs) == 1 else None
    items = typing.get_args(annotation) if typing.get_origin(annotation) is list else ()
    return annotation if items and isinstance(items[0], type) and attrs.has(items[0]) else None


def _params(
    signature: list[inspect.Parameter],
    hints: dict[str, Any],
    declared: Declared,
) -> list[ParamPlan]:
    annotated: list[tuple[inspect.Parameter, MarkerKind | None]] = []
    for parameter in signature:
        if parameter.name in hints:
            annotated.append((parameter, MARKERS.of(parameter.default)))
        else:
            message = f"parameter {parameter.name!r} has no annotation"
            declared.add("LOOM-CORE-109", message, "annotate it with its type")
    for parameter, kind in annotated:
        if kind is None:
            declared.given[parameter.name] = unmarked(parameter, hints[parameter.name], declared)
        elif kind.given:
            plans = kind.compile(parameter.name, hints[parameter.name], parameter.default, declared)
            declared.given |= {plan.name: plan for plan in plans}
    check_given(declared)
    declared.loaded = frozenset(each.name for each, kind in annotated if kind is not None and not kind.given)
    plans = []
    for parameter, kind in annotated:
        if kind is None or kind.given:
            plans.append(declared.given[parameter.name])
        else:
            found = kind.compile(parameter.name, hints[parameter.name], parameter.default, declared)
            # What could not be compiled still has a name, which rules may use.
            plans.extend(found or [plain_param(parameter.name, hints[parameter.name])])
    # Two loads by one path key would ask for it twice.
    return once_each(plans, declared)


def _model(arguments: tuple[Any, ...], where: Place, issues: Issues) -> type | None:
    model = arguments[0] if arguments else None
    if model in (None, type(None), Any, object) or isinstance(model, typing.TypeVar):
        return None
    if isinstance(model, type) and is_entity(model):
        return model
    issues.add(
        "LOOM-CORE-113",
        where,
        f"the main model {getattr(model, '__name__', model)} is not an entity",
        "name a class that has @entity(table=...), or what entity(...)(Class) returned; None for no model",
    )
    return None
