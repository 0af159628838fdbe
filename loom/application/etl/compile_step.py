"""Compile one step: its class attributes and the signature of ``execute`` become a plan."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

import attrs

from loom.application.compile import Issues, nearest, place_of
from loom.application.etl.declare import ETLStep, Source
from loom.application.etl.frames import FrameKind, frame_kind, frame_names, lazy_instead
from loom.application.etl.outline import Slot
from loom.application.etl.plan import Resource, SourcePlan, StepPlan, TargetPlan
from loom.application.etl.scene import SOURCES, TARGETS, Scene, Site, SourceBehaviour, TargetBehaviour
from loom.domain.errors import Place
from loom.domain.frozen import frozen
from loom.ports.etl import EtlEngine


@frozen(kw_only=True)
class Sketch:
    """A step whose sources and target are known by kind, but not yet checked."""

    slot: Slot
    sources: Mapping[str, tuple[Source, SourceBehaviour]]
    target: TargetBehaviour | None
    reads: tuple[Resource, ...]
    writes: Resource | None


def sketch_step(slot: Slot, engine: EtlEngine[StepPlan], issues: Issues) -> Sketch:
    """Read the class attributes of a step."""
    sources: dict[str, tuple[Source, SourceBehaviour]] = {}
    for name, source in _sources(slot.step).items():
        behaviour = SOURCES.require(source, issues, "LOOM-ETL-004", _at(source, slot.step, name))
        if behaviour is not None:
            sources[name] = (source, behaviour)
    declared = slot.step.target
    target = None
    if declared is None:
        message = f"{slot.step.__name__} has no target"
        issues.add("LOOM-ETL-003", slot.step, message, "set target = IntoTable(...), IntoFile(...) or IntoTemp(...)")
    else:
        target = TARGETS.require(declared, issues, "LOOM-ETL-003", _at(declared, slot.step, "target"))
    reads = [behaviour.reads(source, engine) for source, behaviour in sources.values()]
    return Sketch(
        slot=slot,
        sources=sources,
        target=target,
        reads=tuple(dict.fromkeys(each for each in reads if each is not None)),
        writes=target.writes(declared, engine) if target else None,
    )


def compile_step(sketch: Sketch, scene: Scene, pipeline: str, issues: Issues) -> StepPlan | None:
    """The plan of a step, or ``None`` after its faults have been reported."""
    before, step = len(issues.found), sketch.slot.step
    sources = [_plan_source(name, sketch, scene, issues) for name in sketch.sources]
    target = None
    if sketch.target is not None:
        where = _at(step.target, step, "target")
        target = sketch.target.plan(step.target, Site(scene=scene, issues=issues, where=where, argument="target"))
    _check_supported(sources, target, sketch, scene.engine, issues)
    _check_constructor(step, issues)
    signature = _read_execute(step, tuple(_sources(step)), issues)
    if signature is not None:
        _check_engine(step, signature.frame, scene.engine, issues)
    if len(issues.found) > before or signature is None or target is None or sketch.writes is None:
        return None
    return StepPlan(
        pipeline=pipeline,
        name=sketch.slot.name,
        step=step,
        frame=signature.frame,
        takes_params=signature.takes_params,
        sources=tuple(source for source in sources if source is not None),
        target=target,
        reads=sketch.reads,
        writes=sketch.writes,
        place=place_of(step),
    )


@frozen
class _Signature:
    frame: FrameKind
    takes_params: bool


def _sources(step: type) -> dict[str, Source]:
    found = {
        name: value
        for base in reversed(step.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, Source)
    }
    return {name: source for name, source in found.items() if getattr(step, name) is source}


def _at(declared: object, step: type, name: str) -> Place:
    return attrs.evolve(place_of(declared), name=f"{step.__qualname__}.{name}")


def _plan_source(name: str, sketch: Sketch, scene: Scene, issues: Issues) -> SourcePlan | None:
    source, behaviour = sketch.sources[name]
    where = _at(source, sketch.slot.step, name)
    return behaviour.plan(source, Site(scene=scene, issues=issues, where=where, argument=name))


def _check_supported(
    sources: list[SourcePlan | None],
    target: TargetPlan | None,
    sketch: Sketch,
    engine: EtlEngine[StepPlan],
    issues: Issues,
) -> None:
    step = sketch.slot.step
    parts = [(name, plan, sketch.sources[name][0]) for name, plan in zip(sketch.sources, sources, strict=True)]
    for name, plan, declared in (*parts, ("target", target, step.target)):
        if plan is not None and not engine.supports(plan):
            doing = "write" if name == "target" else "read"
            message = f"the {engine.name} engine cannot {doing} this {type(declared).__name__}"
            issues.add("LOOM-ETL-024", _at(declared, step, name), message, "use another kind, or another etl.adapter")


def _check_constructor(step: type[ETLStep[Any]], issues: Issues) -> None:
    needed = [
        parameter.name
        for parameter in inspect.signature(step).parameters.values()
        if parameter.default is parameter.empty and parameter.kind not in _VARIADIC
    ]
    if needed:
        message = f"{step.__name__} cannot be made without {', '.join(needed)}"
        issues.add("LOOM-ETL-022", step, message, "a step is made without arguments; give it what it needs as params")


def _read_execute(step: type[ETLStep[Any]], sources: tuple[str, ...], issues: Issues) -> _Signature | None:
    execute = inspect.getattr_static(step, "execute", None)
    if not inspect.isfunction(execute):
        remedy = "write def execute(self, params, *, <source>: <frame>) -> <frame>"
        issues.add("LOOM-ETL-005", step, f"{step.__name__} has no execute()", remedy)
        return None
    where = attrs.evolve(place_of(execute), name=f"{step.__qualname__}.execute")
    parameters = list(inspect.signature(execute).parameters.values())[1:]
    if inspect.iscoroutinefunction(execute) or any(each.kind in _VARIADIC for each in parameters):
        issues.add("LOOM-ETL-005", where, "execute() is a plain function that names its sources", "write them out")
        return None
    names = [each.name for each in parameters if each.name != "params"]
    _match_names(names, sources, where, issues)
    frame = _one_frame(execute, names, where, issues)
    return None if frame is None else _Signature(frame, len(names) < len(parameters))


def _match_names(names: list[str], sources: tuple[str, ...], where: Place, issues: Issues) -> None:
    for name in names:
        if name not in sources:
            issues.unknown("LOOM-ETL-005", where, "source", name, sources)
    for name in sources:
        if name not in names:
            near = nearest(name, [each for each in names if each not in sources])
            remedy = f"rename {near!r} to {name!r}" if near else f"add *, {name}: <frame>, or remove the source"
            issues.add("LOOM-ETL-006", where, f"source {name!r} is not taken by execute()", remedy)


def _one_frame(execute: Any, names: list[str], where: Place, issues: Issues) -> FrameKind | None:
    try:
        hints = typing.get_type_hints(execute)
    except (NameError, AttributeError) as error:
        remedy = "import the frame's library at run time, outside TYPE_CHECKING"
        issues.add("LOOM-ETL-007", where, f"an annotation of execute() cannot be read: {error}", remedy)
        return None
    found: dict[str, FrameKind] = {}
    for name in (*names, "return"):
        kind = frame_kind(hints.get(name))
        if kind is None:
            issues.add("LOOM-ETL-007", where, *_no_frame(name, hints.get(name)))
        else:
            found[name] = kind
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name}: {kind.name}" for name, kind in found.items())
        issues.add("LOOM-ETL-007", where, f"execute() mixes kinds of frames ({told})", "use one kind in a step")
        return None
    return next(iter(found.values())) if len(found) == len(names) + 1 else None


def _no_frame(name: str, annotation: Any) -> tuple[str, str]:
    what = "the result" if name == "return" else f"source {name!r}"
    lazy = lazy_instead(annotation)
    if lazy:
        return f"{what} of execute() is an eager frame", f"annotate {lazy}: rows are only read when they are written"
    return f"{what} of execute() is not annotated as a frame", f"annotate one of: {', '.join(frame_names())}"


def _check_engine(step: type, frame: FrameKind, engine: EtlEngine[StepPlan], issues: Issues) -> None:
    if frame.name not in engine.frames:
        message = f"{step.__name__} is written for {frame.name}, but the engine is {engine.name}"
        remedy = f"annotate {' or '.join(sorted(engine.frames))}, or set etl.adapter to the other engine"
        issues.add("LOOM-ETL-008", step, message, remedy)


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
