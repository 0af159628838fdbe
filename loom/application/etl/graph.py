"""Draw a plan as a Mermaid flowchart: steps as boxes, what they read and write as rounded ones."""

from __future__ import annotations

from loom.application.etl.plan import PipelinePlan, Resource


def mermaid(plan: PipelinePlan) -> str:
    """The plan as Mermaid text."""
    ids: dict[Resource, str] = {}
    for step in plan.steps:
        for resource in (*step.reads, step.writes):
            ids.setdefault(resource, f"r{len(ids)}")
    lines = ["flowchart LR"]
    lines += [f'    {ident}(["{resource.kind} {resource.name}"])' for resource, ident in ids.items()]
    processes = dict.fromkeys(step.process for step in plan.steps)
    for process in processes:
        lines.append(f"    subgraph {process}")
        lines += [
            f'        {_box(step.name)}["{step.step.__name__}"]' for step in plan.steps if step.process == process
        ]
        lines.append("    end")
    for step in plan.steps:
        lines += [f"    {ids[resource]} --> {_box(step.name)}" for resource in step.reads]
        lines.append(f"    {_box(step.name)} --> {ids[step.writes]}")
    return "\n".join(lines) + "\n"


def _box(name: str) -> str:
    return name.replace(".", "_")
