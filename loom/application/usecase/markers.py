"""Markers of ``execute`` parameters. What each one does stands in its behaviour, registered in ``MARKERS``."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import attrs

from loom.application.compile import Issues, Kinds
from loom.application.usecase.plan import Call, ParamPlan
from loom.domain.errors import NotFound, Place
from loom.domain.expr import col
from loom.domain.model import ModelSchema, is_entity, schema_of


class OnMissing(enum.Enum):
    """What a load does where there is no such row."""

    RAISE = "raise"
    NONE = "none"


@attrs.frozen
class InputMarker:
    """The command of the call."""


@attrs.frozen
class LoadByIdMarker:
    """The row whose key is in the parameter or command field ``by``."""

    model: type[Any]
    by: str
    on_missing: OnMissing


@attrs.frozen
class ExistsMarker:
    """Whether a row has the given value in the column ``against``."""

    model: type[Any]
    against: str
    from_command: str
    from_param: str


def Input() -> Any:  # noqa: N802 - markers read like types where they are used
    """The command of the call. A use case has at most one."""
    return InputMarker()


def LoadById(model: type, *, by: str = "id", on_missing: OnMissing = OnMissing.RAISE) -> Any:  # noqa: N802
    """The entity whose key is named by ``by``: a field of the command, or else a parameter of the call.

    Args:
        model: the entity.
        by: where the key is.
        on_missing: ``RAISE`` answers ``NotFound`` by itself; ``NONE`` passes ``None``.
    """
    return LoadByIdMarker(model, by, on_missing)


def Exists(model: type, *, against: str, from_command: str = "", from_param: str = "") -> Any:  # noqa: N802
    """Whether an entity has a value in ``against``; ``False`` where the command leaves the value out.

    Args:
        model: the entity.
        against: the column to compare with.
        from_command: field of the command that holds the value.
        from_param: parameter of the call that holds the value.
    """
    return ExistsMarker(model, against, from_command, from_param)


@attrs.define
class Declared:
    """What the compiler knows while it reads one ``execute``: given to every behaviour."""

    where: Place
    issues: Issues
    command: ModelSchema | None
    plain: dict[str, Any]


class MarkerBehaviour(Protocol):
    """Protocol of a marker's compiler: returns its plans (hidden parameters first), or records issues."""

    def __call__(self, name: str, annotation: Any, marker: Any, declared: Declared) -> list[ParamPlan]:
        """Compile one parameter."""


MARKERS: Kinds[MarkerBehaviour] = Kinds("marker")


def plain_param(name: str, annotation: Any, *, passed: bool = True, default: object = ...) -> ParamPlan:
    """The plan of a parameter that the caller gives by name."""

    def read(call: Call) -> object:
        return call.param(name, default)

    return ParamPlan(
        name=name, annotation=annotation, source="param", read=read, passed=passed, required=default is ...
    )


def _input(name: str, annotation: Any, marker: InputMarker, declared: Declared) -> list[ParamPlan]:
    if declared.command is None:
        return []  # the compiler has recorded why
    return [ParamPlan(name=name, annotation=annotation, source="command", read=lambda call: call.command)]


def _load(name: str, annotation: Any, marker: LoadByIdMarker, declared: Declared) -> list[ParamPlan]:
    if not _entity(marker.model, f"LoadById of {name!r}", declared):
        return []
    schema = schema_of(marker.model)
    value, hidden = _value_of(marker.by, schema, declared)
    missing = marker.on_missing

    async def read(call: Call) -> object:
        key = value(call)
        found = await call.scope.repository(marker.model).get(key)
        if found is None and missing is OnMissing.RAISE:
            raise NotFound(schema.name, key)
        return found

    return [*hidden, _async_plan(name, annotation, "load", read, marker.model)]


def _exists(name: str, annotation: Any, marker: ExistsMarker, declared: Declared) -> list[ParamPlan]:
    if not _entity(marker.model, f"Exists of {name!r}", declared):
        return []
    schema = schema_of(marker.model)
    if schema.field(marker.against) is None:
        declared.issues.unknown("LOOM-CORE-104", declared.where, f"{schema.name} field", marker.against, schema.names)
    value, hidden = _exists_value(name, marker, declared)
    column = col(marker.against)

    async def read(call: Call) -> object:
        wanted = value(call)
        if wanted is None:  # nothing was sent, or null was: no row can equal it
            return False
        found: object = await call.scope.repository(marker.model).find(column == wanted)
        return found is not None

    return [*hidden, _async_plan(name, annotation, "exists", read, marker.model)]


MARKERS.register(InputMarker, _input)
MARKERS.register(LoadByIdMarker, _load)
MARKERS.register(ExistsMarker, _exists)

_Value = Callable[[Call], Any]


def _async_plan(
    name: str, annotation: Any, source: str, read: Callable[[Call], Awaitable[object]], model: type
) -> ParamPlan:
    return ParamPlan(name=name, annotation=annotation, source=source, read=read, waits=True, model=model)


def _entity(model: type, what: str, declared: Declared) -> bool:
    if is_entity(model):
        return True
    declared.issues.add(
        "LOOM-CORE-103",
        declared.where,
        f"{what} names {getattr(model, '__name__', model)!r}, which is not an entity",
        "decorate the class with @entity(table=...)",
    )
    return False


def _value_of(by: str, schema: ModelSchema, declared: Declared) -> tuple[_Value, list[ParamPlan]]:
    if declared.command is not None and declared.command.field(by) is not None:
        return _command_field(by), []
    if by in declared.plain:
        return lambda call: call.param(by), []
    if len(schema.keys) != 1:
        declared.issues.add(
            "LOOM-CORE-105",
            declared.where,
            f"{schema.name} has a composite key, so {by!r} cannot name it",
            "load it in execute: await self.main_repo.get((a, b))",
        )
        return lambda call: None, []
    # The path carries the key though execute does not ask for it: POST /{product_id}/restock.
    return lambda call: call.param(by), [plain_param(by, schema.keys[0].type.python, passed=False)]


def _exists_value(name: str, marker: ExistsMarker, declared: Declared) -> tuple[_Value, list[ParamPlan]]:
    if bool(marker.from_command) == bool(marker.from_param):
        declared.issues.add(
            "LOOM-CORE-106",
            declared.where,
            f"Exists of {name!r} needs exactly one of from_command and from_param",
            'write Exists(Model, from_command="sku", against="sku")',
        )
        return lambda call: None, []
    if marker.from_param:
        known = marker.from_param in declared.plain
        hidden = [] if known else [plain_param(marker.from_param, str, passed=False)]
        return lambda call: call.param(marker.from_param), hidden
    fields = declared.command.names if declared.command else ()
    if marker.from_command not in fields:
        declared.issues.unknown("LOOM-CORE-104", declared.where, "command field", marker.from_command, fields)
    return _command_field(marker.from_command), []


def _command_field(name: str) -> _Value:
    def read(call: Call) -> Any:
        return call.present(getattr(call.command, name))

    return read
