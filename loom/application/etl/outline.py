"""The shape of a pipeline: which steps stand where. Faults of shape are found here, before any step is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loom.application.compile import Issues
from loom.application.etl.declare import ETLPipeline, ETLProcess, ETLStep
from loom.application.etl.params import ETLParams
from loom.application.generics import type_arguments
from loom.domain.frozen import frozen


@frozen(kw_only=True)
class Slot:
    """One step in its place. Steps of one nested list share ``position``; later entries have a higher one."""

    step: type[ETLStep[Any]]
    process: str
    position: int

    @property
    def name(self) -> str:
        """``Process.Step``."""
        return f"{self.process}.{self.step.__name__}"


def outline(pipeline: type[ETLPipeline[Any]], issues: Issues) -> list[Slot]:
    """All steps of a pipeline in declared order; entries that are no steps are reported and left out."""
    slots: list[Slot] = []
    if not pipeline.processes:
        issues.add("LOOM-ETL-001", pipeline, f"{pipeline.__name__} has no processes", "set processes = [...]")
    for process in pipeline.processes:
        if not (isinstance(process, type) and issubclass(process, ETLProcess)):
            issues.add("LOOM-ETL-001", pipeline, f"{_named(process)} in processes is not an ETLProcess", _SUBCLASS)
            continue
        _check_params(process, ETLProcess, pipeline, issues)
        slots += _slots(process, first=slots[-1].position + 1 if slots else 0, pipeline=pipeline, issues=issues)
    return _without_repeats(slots, issues)


def params_of(declaration: type, base: type) -> type:
    """The class of parameters that a declaration names; ``ETLParams`` itself where it names none."""
    arguments = type_arguments(declaration, base)
    return arguments[0] if arguments and isinstance(arguments[0], type) else ETLParams


def included(slots: list[Slot], include: Sequence[str], pipeline: type, issues: Issues) -> list[Slot]:
    """The slots that ``include`` names, by step, process, or both (``Process.Step``); all where it is empty."""
    if not include:
        return slots
    for name in include:
        known = {label for slot in slots for label in _labels(slot)}
        if name not in known:
            issues.unknown("LOOM-ETL-021", pipeline, "included step or process", name, known)
    return [slot for slot in slots if not _labels(slot).isdisjoint(include)]


def _slots(process: type[ETLProcess[Any]], *, first: int, pipeline: type, issues: Issues) -> Iterator[Slot]:
    if not process.steps:
        issues.add("LOOM-ETL-001", process, f"{process.__name__} has no steps", "set steps = [...]")
    for position, entry in enumerate(process.steps, start=first):
        for step in entry if isinstance(entry, list | tuple) else [entry]:
            if not (isinstance(step, type) and issubclass(step, ETLStep)):
                issues.add("LOOM-ETL-001", process, f"{_named(step)} in steps is not an ETLStep", _SUBCLASS)
                continue
            _check_params(step, ETLStep, pipeline, issues)
            yield Slot(step=step, process=process.__name__, position=position)


def _check_params(declaration: type, base: type, pipeline: type, issues: Issues) -> None:
    wanted, found = params_of(pipeline, ETLPipeline), params_of(declaration, base)
    # A declaration without parameters, or with parameters that the pipeline's extend, fits.
    if not issubclass(wanted, found) and found is not ETLParams:
        issues.add(
            "LOOM-ETL-002",
            declaration,
            f"{declaration.__name__} takes {found.__name__}, but {pipeline.__name__} runs with {wanted.__name__}",
            f"write class {declaration.__name__}({base.__name__}[{wanted.__name__}])",
        )


def _without_repeats(slots: list[Slot], issues: Issues) -> list[Slot]:
    first: dict[str, Slot] = {}
    for slot in slots:
        if first.setdefault(slot.name, slot) is not slot:
            issues.add("LOOM-ETL-023", slot.step, f"{slot.name} stands twice in its pipeline", "remove one of the two")
    return list(first.values())


def _labels(slot: Slot) -> set[str]:
    return {slot.name, slot.process, slot.step.__name__}


def _named(entry: object) -> str:
    return entry.__name__ if isinstance(entry, type) else repr(entry)


_SUBCLASS = "list classes, not objects; a nested list of steps runs in parallel"
