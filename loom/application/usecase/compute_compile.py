"""From declared computes to functions that change the command of a call."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from loom.application.conversion.faults import below
from loom.application.usecase.compute import Compute, Function
from loom.application.usecase.fields import Scene, check_ref, reader
from loom.application.usecase.functions import check_function
from loom.application.usecase.plan import Call, ParamPlan
from loom.domain.absent import ABSENT
from loom.domain.errors import InvalidInput, LoomError
from loom.domain.schema import LogicalType, logical_type

CompiledCompute = Callable[[Call], None]


def compile_computes(declared: object, scene: Scene) -> tuple[CompiledCompute, ...]:
    """Compile the ``computes`` of a use case. Their issues are recorded in the scene."""
    if not isinstance(declared, list | tuple):
        message = f"computes is a {type(declared).__name__}, not a list"
        scene.add("LOOM-CORE-112", message, "write computes = [Compute.set(...)...]")
        return ()
    before = len(scene.issues.found)
    for compute in declared:
        _check(compute, scene)
    return tuple(_setter(compute, scene) for compute in declared) if len(scene.issues.found) == before else ()


def _check(compute: object, scene: Scene) -> None:
    if not isinstance(compute, Compute):
        scene.add("LOOM-CORE-112", f"{compute!r} is no Compute", "begin with Compute.set(F(Command).field)")
        return
    target = check_ref(compute.target, "Compute", "LOOM-CORE-110", scene)
    if target is not None and len(compute.target.ref_path) > 1:
        scene.add(
            "LOOM-CORE-110",
            f"Compute.set({compute.target!r}) sets a part of a field",
            "set the whole field: via may return attrs.evolve(value, part=...)",
        )
    types = [check_ref(ref, "Compute", "LOOM-CORE-110", scene) for ref in compute.sources]
    for name in compute.parameters:
        _check_parameter(name, scene)
    count = len(compute.sources) + len(compute.parameters)
    if count == 0:
        scene.add(
            "LOOM-CORE-112",
            f"Compute.set({compute.target!r}) has no source",
            "add .from_command(F(Command).field, via=function)",
        )
    elif count > 1 and compute.function is None:
        scene.add(
            "LOOM-CORE-112", f"Compute.set({compute.target!r}) has {count} sources and no via", "add via=function"
        )
    elif compute.function is not None:
        check_function(compute.function, count, f"Compute.set({compute.target!r})", scene)
    else:
        types += [_type(scene.params[name]) for name in compute.parameters if name in scene.params]
        _check_same(compute, target, types[0] if types else None, scene)


def _type(param: ParamPlan) -> LogicalType | None:
    try:
        return logical_type(param.annotation)
    except TypeError:
        return None


def _check_same(compute: Compute, target: LogicalType | None, source: LogicalType | None, scene: Scene) -> None:
    if target is not None and source is not None and target.kind is not source.kind:
        scene.add(
            "LOOM-CORE-112",
            f"Compute.set({compute.target!r}) sets {target.kind.value} to {source.kind.value}",
            "give both the same type, or add via=function",
        )


def _check_parameter(name: object, scene: Scene) -> None:
    if not isinstance(name, str):
        scene.add("LOOM-CORE-111", f"Compute: {name!r} is no parameter's name", 'write .from_params("name")')
        return
    found = scene.params.get(name)
    given = [plan.name for plan in scene.params.values() if plan.given]
    if found is None:
        scene.issues.unknown("LOOM-CORE-111", scene.where, "Compute: parameter", name, given)
    elif not found.given:
        scene.add(
            "LOOM-CORE-111",
            f"Compute: {name!r} comes from the store, and computes run before loads",
            "compute it in execute, or from the field or parameter that it is loaded by",
        )


def _setter(compute: Compute, scene: Scene) -> CompiledCompute:
    target = compute.target.ref_path[0]
    readers = tuple(reader(ref.ref_path) for ref in compute.sources)
    parameters = tuple(scene.params[name].read for name in compute.parameters)
    function: Function = compute.function or (lambda value: value)

    def run(call: Call) -> None:
        values = [read(call.command) for read in readers]
        for value in values:
            if value is ABSENT:
                return
        values.extend([read(call) for read in parameters])
        try:
            call.command = attrs.evolve(call.command, **{target: function(*values)})
        except LoomError:
            raise
        except ValueError as error:
            # Of the function, or of a validator: what was sent cannot be what the field is to hold.
            raise InvalidInput(below(target, error), subject="command") from error

    return run
