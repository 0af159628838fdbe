"""Routes of one's own that run a generated use case, or one derived from it.

``RestRoute(use_case=auto_crud(Product).list, ...)`` is what the interface itself would have generated: with its sparse
fields, its default profile and its parent, and answered like the generated route.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Final

import attrs

from loom.application.generics import type_arguments
from loom.application.rest.auto import AutoCrud
from loom.application.rest.declare import RestRoute
from loom.application.rest.operations import BULK, EXPORT, OPERATIONS, Operation
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.plan import GENERATED
from loom.domain.model import ModelSchema

_OPERATIONS: Final = {**OPERATIONS, "export": EXPORT, **{f"{name}_many": each for name, each in BULK.items()}}


def operation_of(use_case: object, model: type) -> Operation | None:
    """The generated operation of the model that a use case is, or derives from."""
    name = getattr(use_case, GENERATED, "")
    if not name or not isinstance(use_case, type) or type_arguments(use_case, UseCase)[:1] != (model,):
        return None
    return _OPERATIONS[name]


def reused_route(route: RestRoute, schema: ModelSchema | None, crud: Callable[[type], AutoCrud]) -> RestRoute:
    """The route with the use case that the interface itself would have generated in the place of the shared one.

    Args:
        route: one of the interface's own.
        schema: of the interface's model.
        crud: gives the generated use cases of the interface, always the same.
    """
    operation = operation_of(route.use_case, schema.model) if schema is not None else None
    if schema is None or operation is None:
        return route
    return attrs.evolve(
        route,
        use_case=_own(route.use_case, operation.use_case(crud(schema.model))),
        errors=(*route.errors, *operation.errors),
        declared_at=route.declared_at,
    )


def made_status(use_case: type, result: Any) -> int | None:
    """The status of a generated operation for one that is derived from it and gives the same; else ``None``."""
    operation = _OPERATIONS.get(getattr(use_case, GENERATED, ""))
    return (
        operation.status if operation is not None and result == type_arguments(_shared(use_case), UseCase)[1] else None
    )


def _own(use_case: type[UseCase[Any, Any]], own: type[UseCase[Any, Any]]) -> type[UseCase[Any, Any]]:
    if GENERATED in use_case.__dict__:
        return own
    shared = _shared(use_case)
    if use_case.execute is not shared.execute or not use_case.read_only:
        return use_case  # it says itself what it takes; rules speak of the command that it names
    namespace = {
        "__module__": use_case.__module__,
        "__qualname__": use_case.__qualname__,
        "__doc__": use_case.__doc__,
        "execute": own.execute,
    }
    made: Any = types.new_class(use_case.__name__, (use_case,), {}, lambda body: body.update(namespace))
    found: type[UseCase[Any, Any]] = made
    return found


def _shared(use_case: type) -> type[UseCase[Any, Any]]:
    """The generated class that a use case is, or derives from."""
    found: type[UseCase[Any, Any]] = next(each for each in use_case.__mro__ if GENERATED in each.__dict__)
    return found
