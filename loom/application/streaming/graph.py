"""The plan of a flow as Mermaid text."""

from __future__ import annotations

from collections.abc import Iterator

from loom.application.streaming.plan import BranchPlan, FlowPlan, Path, SinkPlan, StagePlan


def mermaid(plan: FlowPlan) -> str:
    """A flowchart of a flow: one box for each operator, an arrow for each way, and the way of dead letters dashed."""
    lines = ["flowchart LR", f"    source[/{_text(plan.source.title)}/]"]
    lines += _path(plan.path, "source", "")
    if plan.errors is not None:
        lines += [f"    errors[\\{_text(f'dead letters: {plan.errors}')}\\]", "    source -.-> errors"]
    return "\n".join(lines)


def _path(path: Path, before: str, label: str) -> Iterator[str]:
    for stage in path:
        yield f"    {stage.id}{_box(stage)}"
        yield f"    {before} -->|{_text(label)}| {stage.id}" if label else f"    {before} --> {stage.id}"
        before, label = stage.id, ""
        if isinstance(stage, BranchPlan):
            for branch, words in zip(stage.paths, stage.labels, strict=True):
                yield from _path(branch, stage.id, words)


def _box(stage: StagePlan) -> str:
    left, right = (
        ("{", "}") if isinstance(stage, BranchPlan) else ("[\\", "\\]") if isinstance(stage, SinkPlan) else "[]"
    )
    return f"{left}{_text(stage.title)}{right}"


def _text(words: str) -> str:
    """Quoted, with the characters that end a quotation or an HTML text written as entities."""
    for char, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        words = words.replace(char, entity)
    return f'"{words}"'
