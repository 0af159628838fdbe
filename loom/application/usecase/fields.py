"""References of rules and computes to fields of the command: checked once, read by attribute."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.usecase.plan import ParamPlan
from loom.domain.absent import Absent
from loom.domain.errors import Place
from loom.domain.expr import Ref, Root
from loom.domain.model import ModelSchema, schema_of
from loom.domain.schema import Kind, LogicalType

Read = Callable[[Any], Any]


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Scene:
    """What rules and computes may refer to.

    Attributes:
        subject: schema of the value whose fields they read: the command, or an item of one of its lists.
        models: classes that ``F(...)`` may name beside the subject's own.
        params: parameters of ``execute`` by name.
        where: the use case.
        issues: takes what is wrong.
    """

    subject: ModelSchema | None
    models: tuple[type, ...]
    params: Mapping[str, ParamPlan]
    where: Place
    issues: Issues

    def add(self, code: str, message: str, remedy: str) -> None:
        """Record an issue of the use case."""
        self.issues.add(code, self.where, message, remedy)


def check_ref(ref: Ref, what: str, code: str, scene: Scene) -> LogicalType | None:
    """The type of the field that a reference leads to; ``None`` where it leads nowhere, which is an issue.

    Args:
        ref: from ``F(Command)``.
        what: begins the message: ``Rule`` or ``Compute``.
        code: of an unknown field.
        scene: what there is.
    """
    if getattr(ref, "ref_root", None) is not Root.FIELD:
        scene.add("LOOM-CORE-126", f"{what}: {ref!r} is no field of the command", "write F(Command).field")
        return None
    if scene.subject is not None and not _may_name(ref.ref_model, scene):
        named = getattr(ref.ref_model, "__name__", ref.ref_model)
        scene.add(
            "LOOM-CORE-126",
            f"{what}: {ref!r} is a field of {named}, but the values are those of {scene.subject.name}",
            f"write F({scene.subject.name})",
        )
        return None
    schema, found = scene.subject, None
    within = "command"
    for name in ref.ref_path:
        known = schema.names if schema is not None else ()
        field = schema.field(name) if schema is not None else None
        if field is None:
            scene.issues.unknown(code, scene.where, f"{what}: {within} field", name, known)
            return None
        found, within = field.type, name
        # Only classes have fields: whatever follows a scalar is unknown.
        schema = _struct(found)
    return found


def reader(path: tuple[str, ...]) -> Read:
    """The function that follows a path. It ends early at null and at what was not sent."""
    if len(path) == 1:
        return operator.attrgetter(path[0])

    def read(value: Any) -> Any:
        for name in path:
            if value is None or isinstance(value, Absent):
                return value
            value = getattr(value, name)
        return value

    return read


def _struct(logical: LogicalType) -> ModelSchema | None:
    try:
        return schema_of(logical.python) if logical.kind is Kind.STRUCT else None
    except TypeError:
        return None


def _may_name(model: object, scene: Scene) -> bool:
    subject = scene.subject.model if scene.subject is not None else object
    return model is None or (isinstance(model, type) and issubclass(subject, model)) or model in scene.models
