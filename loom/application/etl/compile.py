"""Compile a pipeline: a plan, or all its faults at once. Nothing is read but names and schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

# Imported for what they register: each is one kind of source or target.
import loom.application.etl.files
import loom.application.etl.from_table
import loom.application.etl.into_table
import loom.application.etl.temp  # noqa: F401
from loom.application.compile import Issues, place_of
from loom.application.etl.compile_step import Sketch, compile_step, sketch_step
from loom.application.etl.contract import Contract
from loom.application.etl.declare import ETLPipeline
from loom.application.etl.order import Node, Order, order_steps
from loom.application.etl.outline import included, outline, params_of
from loom.application.etl.params import param_kinds
from loom.application.etl.plan import PipelinePlan, Resource, StepPlan
from loom.application.etl.scene import Scene
from loom.domain.schema import Kind
from loom.ports.etl import EtlEngine


def compile_pipeline(
    pipeline: type[ETLPipeline[Any]],
    issues: Issues,
    engine: EtlEngine[StepPlan],
    *,
    include: Sequence[str] = (),
) -> PipelinePlan | None:
    """Compile a pipeline for an engine.

    Args:
        pipeline: the declaration.
        issues: receives every fault of every step.
        engine: answers which frames, tables and files there are; nothing is run on it.
        include: names of steps, processes, or ``Process.Step``: only these are compiled, and what they read must be
            written by one of them or be there already.

    Returns:
        The plan, or ``None`` where there are faults.
    """
    before = len(issues.found)
    slots = included(outline(pipeline, issues), include, pipeline, issues)
    sketches = [sketch_step(slot, engine, issues) for slot in slots]
    params = params_of(pipeline, ETLPipeline)
    scene = Scene(engine=engine, params=_param_kinds(params, pipeline, issues), written=_written(sketches))
    plans = [compile_step(sketch, scene, pipeline.__name__, issues) for sketch in sketches]
    nodes = [Node(slot=sketch.slot, reads=sketch.reads, writes=sketch.writes) for sketch in sketches]
    order = order_steps(nodes, pipeline, issues)
    if order is None or len(issues.found) > before:
        return None
    steps = {plan.name: plan for plan in plans if plan is not None}
    return PipelinePlan(
        name=pipeline.__name__,
        params=params,
        steps=tuple(_settled(steps, sketches, order)),
        place=place_of(pipeline),
    )


def _param_kinds(params: type, pipeline: type, issues: Issues) -> dict[str, Kind]:
    try:
        return dict(param_kinds(params))
    except TypeError as error:
        issues.add("LOOM-ETL-002", pipeline, f"its parameters cannot be read: {error}", "use a subclass of ETLParams")
        return {}


def _written(sketches: Sequence[Sketch]) -> dict[Resource, Contract | None]:
    """What is written, with the contract that all its writers agree on; a writer without one leaves it open."""
    written: dict[Resource, Contract | None] = {}
    for sketch in sketches:
        if sketch.writes is None or sketch.target is None:
            continue
        contract = sketch.target.contract(sketch.slot.step.target)
        written[sketch.writes] = contract if written.get(sketch.writes, contract) == contract else None
    return written


def _settled(steps: dict[str, StepPlan], sketches: Sequence[Sketch], order: Order) -> list[StepPlan]:
    targets = {sketch.slot.name: sketch.target for sketch in sketches}
    settled: list[StepPlan] = []
    for name in order.names:
        step, behaviour = steps[name], targets[name]
        if behaviour is not None:
            earlier = tuple(each.target for each in settled if each.writes == step.writes)
            step = attrs.evolve(step, target=behaviour.settle(step.target, earlier))
        settled.append(attrs.evolve(step, after=order.after[name]))
    return settled
