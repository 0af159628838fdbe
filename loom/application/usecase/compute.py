"""``Compute``: fields of the command that are derived before anything else happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from loom.application.compile import Issues
from loom.application.usecase.plan import Call
from loom.domain.absent import Absent
from loom.domain.errors import Place
from loom.domain.expr import Ref
from loom.domain.model import ModelSchema


@attrs.frozen(kw_only=True)
class Compute:
    """Sets one field of the command. Begin with ``Compute.set``; a field that was not sent is left alone."""

    target: Ref
    sources: tuple[Ref, ...] = ()
    parameters: tuple[str, ...] = ()
    function: Callable[..., Any] | None = None

    @classmethod
    def set(cls, target: Ref) -> Compute:
        """Name the field to set: ``Compute.set(F(CreateProduct).name)``."""
        return cls(target=target)

    def from_command(self, *sources: Ref, via: Callable[..., Any]) -> Compute:
        """Compute from fields of the command; ``via`` takes their values in order."""
        return attrs.evolve(self, sources=sources, function=via)

    def from_params(self, *names: str, via: Callable[..., Any] = lambda value: value) -> Compute:
        """Compute from plain parameters of the call; ``via`` takes their values in order."""
        return attrs.evolve(self, parameters=names, function=via)


def compile_compute(
    compute: Compute, command: ModelSchema | None, plain: dict[str, Any], where: Place, issues: Issues
) -> Callable[[Call], None] | None:
    """Compile one compute into a function that changes the call's command, or record its issues."""
    known = command.names if command else ()
    before = len(issues.found)
    for ref in (compute.target, *compute.sources):
        if len(ref.ref_path) != 1 or ref.ref_path[0] not in known:
            issues.unknown("LOOM-CORE-110", where, "Compute: command field", ".".join(ref.ref_path), known)
    for name in compute.parameters:
        if name not in plain:
            issues.unknown("LOOM-CORE-111", where, "Compute: parameter", name, plain)
    if compute.function is None:
        issues.add(
            "LOOM-CORE-112",
            where,
            f"Compute.set({compute.target!r}) has no source",
            "add .from_command(F(Command).field, via=function)",
        )
    return _setter(compute, compute.function) if len(issues.found) == before and compute.function else None


def _setter(compute: Compute, function: Callable[..., Any]) -> Callable[[Call], None]:
    target = compute.target.ref_path[0]
    fields = tuple(ref.ref_path[0] for ref in compute.sources)

    def run(call: Call) -> None:
        values = [getattr(call.command, name) for name in fields]
        if any(isinstance(value, Absent) for value in values):
            return
        values.extend(call.param(name) for name in compute.parameters)
        call.command = attrs.evolve(call.command, **{target: function(*values)})

    return run
