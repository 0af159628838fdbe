"""What a use case's constructor asks for, and how each call gets it."""

from __future__ import annotations

import inspect
import typing
from typing import Any

from loom.application.compile import Issues
from loom.application.repositories import model_of
from loom.application.usecase.plan import DependencyPlan
from loom.application.usecase.scope import SCOPED, Scope
from loom.application.wiring import Resolver
from loom.domain.context import Context, Principal
from loom.domain.errors import Place
from loom.domain.model import is_entity
from loom.ports.persistence import Repository


def compile_dependencies(use_case: type, where: Place, issues: Issues, resolver: Resolver) -> list[DependencyPlan]:
    """The plans of a constructor's arguments; one that nothing can give and that has no default is an issue."""
    constructor: Any = inspect.getattr_static(use_case, "__init__")
    if constructor is object.__init__:
        return []
    try:
        hints = typing.get_type_hints(constructor)
    except NameError as error:
        issues.add(
            "LOOM-CORE-102",
            where,
            f"an annotation of {use_case.__name__}.__init__ cannot be resolved: {error}",
            "import the name at module level, outside TYPE_CHECKING",
        )
        return []
    plans = []
    for parameter in list(inspect.signature(constructor).parameters.values())[1:]:
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            continue  # a constructor that passes on what it is given is given nothing
        wanted = hints.get(parameter.name)
        told = _fault(wanted, parameter, use_case)
        if told:
            issues.add("LOOM-CORE-114", where, *told)
            continue
        build = _builder(wanted, resolver)
        if build is not None:
            plans.append(DependencyPlan(name=parameter.name, wanted=wanted, build=build, scoped=_scoped(wanted)))
        elif parameter.default is inspect.Parameter.empty:
            issues.add(
                "LOOM-CORE-114",
                where,
                f"nothing is bound to {getattr(wanted, '__name__', wanted)!s}, "
                f"which {use_case.__name__}({parameter.name}: ...) asks for",
                "bind it: kernel.bind(Type, instance)",
            )
    return plans


def _fault(wanted: Any, parameter: inspect.Parameter, use_case: type) -> tuple[str, str] | None:
    """What is wrong with the annotation of an argument, and what to do."""
    if wanted is None and parameter.default is inspect.Parameter.empty:
        return f"{use_case.__name__}({parameter.name}) has no annotation", "annotate it with the type that it asks for"
    model = typing.get_args(wanted)[0] if typing.get_origin(wanted) is Repository else None
    if model is not None and not (isinstance(model, type) and is_entity(model)):
        named = getattr(model, "__name__", model)
        told = f"{use_case.__name__}({parameter.name}: ...) asks for the repository of {named}, which is not an entity"
        return told, "decorate the class with @entity(table=...)"
    return None


def _scoped(wanted: Any) -> bool:
    bound = typing.get_origin(wanted) or wanted
    if wanted in (Context, Principal) or not isinstance(bound, type):
        return False
    return bound in (Repository, Scope) or bound in SCOPED or model_of(wanted) is not None


def _builder(wanted: Any, resolver: Resolver) -> Any:
    if typing.get_origin(wanted) is Repository:
        model = typing.get_args(wanted)[0]
        return lambda scope, executor: scope.repository(model)
    own = model_of(wanted)
    if own is not None:
        return lambda scope, executor: scope.repository(own)
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
