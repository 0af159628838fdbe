"""What the parameters of ``execute`` mean: the command, what the caller gives by name, and the registry of markers."""

from __future__ import annotations

import inspect
import re
import types
import typing
from typing import Any, Protocol, Union

import attrs

from loom.application.compile import Issues, Kinds
from loom.application.fit import fit_of
from loom.application.usecase.markers import (
    Exists,
    ExpectedVersion,
    Header,
    HeaderMarker,
    Input,
    InputMarker,
    Load,
    LoadById,
)
from loom.application.usecase.plan import Call, ParamPlan
from loom.domain.absent import Absent
from loom.domain.errors import Place
from loom.domain.model import ModelSchema
from loom.domain.query import Query
from loom.domain.schema import logical_type


@attrs.define(eq=False, repr=False)
class Declared:
    """What the compiler knows while it reads one ``execute``: given to every behaviour. ``given`` are the parameters
    that the caller gives by name, ``loaded`` the names of the others; ``many`` is whether the command is a list of
    commands, which has no fields."""

    where: Place
    issues: Issues
    command: ModelSchema | None
    given: dict[str, ParamPlan]
    many: bool = False
    loaded: frozenset[str] = frozenset()

    def add(self, code: str, message: str, remedy: str) -> None:
        """Record an issue of the use case."""
        self.issues.add(code, self.where, message, remedy)


class CompileMarker(Protocol):
    """Protocol of a marker's compiler: returns its plans (hidden parameters first), or records issues."""

    def __call__(self, name: str, annotation: Any, marker: Any, declared: Declared) -> list[ParamPlan]:
        """Compile one parameter."""


@attrs.frozen(eq=False, repr=False)
class MarkerKind:
    """A marker's behaviour. Those that are ``given`` by the caller are compiled first, since loads refer to them."""

    compile: CompileMarker
    given: bool = False


MARKERS: Kinds[MarkerKind] = Kinds("marker")
_MARKER_FUNCTIONS = (Exists, ExpectedVersion, Header, Input, Load, LoadById)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OF_PROTOCOL = frozenset({"accept", "authorization", "content-type"})


def plain_param(
    name: str, annotation: Any, *, source: str = "param", passed: bool = True, default: object = ..., header: str = ""
) -> ParamPlan:
    """The plan of a parameter that the caller gives by name."""

    def read(call: Call) -> object:
        return call.param(name, default)

    return ParamPlan(
        name=name,
        annotation=annotation,
        source="query" if annotation is Query else source,
        read=read,
        passed=passed,
        default=default,
        header=header,
        path=(name,),
    )


def unmarked(parameter: inspect.Parameter, annotation: Any, declared: Declared) -> ParamPlan:
    """The plan of a parameter without a marker; a default that is no value of its type is an issue."""
    default = ... if parameter.default is inspect.Parameter.empty else parameter.default
    bare = next((each.__name__ for each in _MARKER_FUNCTIONS if each is default), "")
    if bare:
        declared.add(
            "LOOM-CORE-131",
            f"{parameter.name!r} has {bare} as its default, which is not called",
            f"write {parameter.name}: {shown(annotation)} = {bare}(...)",
        )
    if Absent in members(annotation):
        declared.add(
            "LOOM-CORE-131",
            f"{parameter.name!r} is a Patch, which only a field of a command can be",
            f"write {parameter.name}: ... | None = None",
        )
    else:
        _check_default(parameter.name, annotation, default, declared)
    return plain_param(parameter.name, annotation, default=default)


def members(annotation: Any) -> list[Any]:
    """The types that an annotation admits: those of a union, or itself."""
    if typing.get_origin(annotation) is typing.Annotated:
        return members(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return [member for part in typing.get_args(annotation) for member in members(part)]
    return [annotation]


def admits_none(annotation: Any) -> bool:
    """Whether ``None`` is a value of the annotation."""
    return any(member in (Any, object, None, type(None)) for member in members(annotation))


def shown(annotation: Any) -> str:
    """An annotation as the user wrote it."""
    return annotation.__name__ if isinstance(annotation, type) else inspect.formatannotation(annotation)


def _input(name: str, annotation: Any, marker: InputMarker, declared: Declared) -> list[ParamPlan]:
    if declared.command is None and not declared.many:
        return []  # the compiler has recorded why
    return [ParamPlan(name=name, annotation=annotation, source="command", read=lambda call: call.command)]


def _header(name: str, annotation: Any, marker: HeaderMarker, declared: Declared) -> list[ParamPlan]:
    header: object = marker.name
    if not isinstance(header, str) or not _TOKEN.fullmatch(header):
        declared.add(
            "LOOM-CORE-127", f"Header({marker.name!r}) of {name!r} is no header's name", 'write Header("X-Client")'
        )
    elif header.lower() in _OF_PROTOCOL:
        declared.add(
            "LOOM-CORE-127",
            f"the header {header} of {name!r} is read by the protocol itself, and OpenAPI has no place for it",
            "ask for the Context in the constructor: its principal is who calls",
        )
    default = None if marker.default is ... and admits_none(annotation) else marker.default
    _check_default(name, annotation, default, declared)
    return [plain_param(name, annotation, source="header", default=default, header=str(header))]


def _query(name: str, annotation: Any, marker: Query, declared: Declared) -> list[ParamPlan]:
    if annotation is not Query:
        declared.add(
            "LOOM-CORE-128", f"{name!r} is marked Query(), but annotated {shown(annotation)}", f"write {name}: Query"
        )
    if marker != Query():
        declared.add(
            "LOOM-CORE-128",
            f"the Query of {name!r} narrows what the caller asks for, but the caller's takes its place",
            f"write Query(), and attrs.evolve({name}, ...) in execute",
        )
    return [plain_param(name, annotation, source="query", default=marker)]


def _check_default(name: str, annotation: Any, default: object, declared: Declared) -> None:
    if default is ... or (default is None and admits_none(annotation)):
        return
    try:
        fit = fit_of(logical_type(annotation))
        if fit is not None:
            fit(default)
    except TypeError:
        return  # no logical type: HTTP says so where it is served
    except ValueError as error:
        declared.add(
            "LOOM-CORE-129",
            f"the default {default!r} of {name!r} is no {shown(annotation)}: it {error}",
            "correct the default or the annotation",
        )


MARKERS.register(InputMarker, MarkerKind(_input))
MARKERS.register(HeaderMarker, MarkerKind(_header, given=True))
MARKERS.register(Query, MarkerKind(_query, given=True))
