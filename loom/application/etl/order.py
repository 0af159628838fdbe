"""The order of steps, from what they read and write. Pure; the rules stand in ``_edges``."""

from __future__ import annotations

import graphlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from loom.application.compile import Issues
from loom.application.etl.outline import Slot
from loom.application.etl.plan import Resource
from loom.domain.frozen import frozen

T = TypeVar("T")


@frozen(kw_only=True)
class Node:
    """A step, as far as order goes. ``writes`` is ``None`` for a step whose target is faulty."""

    slot: Slot
    reads: tuple[Resource, ...]
    writes: Resource | None


@frozen(kw_only=True)
class _Edge:
    before: Node
    after: Node
    reason: str


@frozen(kw_only=True)
class Order:
    """Steps in an order that works, and for each the names of those that must be done before."""

    names: tuple[str, ...]
    after: dict[str, tuple[str, ...]]


def order_steps(nodes: Sequence[Node], pipeline: type, issues: Issues) -> Order | None:
    """Order the steps, or report cycles and steps that cannot run in parallel as they are told to."""
    edges = list(_edges(nodes))
    for edge in edges:
        if edge.before.slot.position == edge.after.slot.position:
            message = (
                f"{edge.before.slot.name} and {edge.after.slot.name} stand in one parallel group, but {edge.reason}"
            )
            issues.add("LOOM-ETL-016", edge.after.slot.step, message, "take one of them out of the nested list")
    after = {node.slot.name: _unique(each.before.slot.name for each in edges if each.after is node) for node in nodes}
    try:
        names = tuple(graphlib.TopologicalSorter(after).static_order())
    except graphlib.CycleError as error:
        _report_cycle(error.args[1], edges, pipeline, issues)
        return None
    return Order(names=names, after=after)


def _edges(nodes: Sequence[Node]) -> Iterator[_Edge]:
    for resource in _unique(node.writes for node in nodes if node.writes is not None):
        writers = sorted((node for node in nodes if node.writes == resource), key=lambda node: node.slot.position)
        # Several writers keep the order in which they are declared.
        for first, second in itertools.pairwise(writers):
            yield _Edge(before=first, after=second, reason=f"both write {resource}")
        for reader in nodes:
            if resource in reader.reads:
                yield from _reader_edges(reader, writers, resource)


def _reader_edges(reader: Node, writers: Sequence[Node], resource: Resource) -> Iterator[_Edge]:
    others = [writer for writer in writers if writer is not reader]
    before = [writer for writer in others if writer.slot.position <= reader.slot.position]
    later = [writer for writer in others if writer.slot.position > reader.slot.position]
    if not before and reader not in writers:
        # Nothing has written it by then: the reader was declared too early, and waits.
        before, later = later, []
    for writer in before:
        reason = f"{reader.slot.name} reads {resource}, which {writer.slot.name} writes"
        yield _Edge(before=writer, after=reader, reason=reason)
    for writer in later:
        reason = f"{writer.slot.name} writes {resource}, which {reader.slot.name} reads before"
        yield _Edge(before=reader, after=writer, reason=reason)


def _report_cycle(names: Sequence[str], edges: Sequence[_Edge], pipeline: type, issues: Issues) -> None:
    reasons = {(edge.before.slot.name, edge.after.slot.name): edge.reason for edge in edges}
    told = [reasons[pair] for pair in itertools.pairwise(names)]
    message = f"{len(names) - 1} steps wait for each other: {'; '.join(told)}"
    issues.add("LOOM-ETL-017", pipeline, message, "let one of them write another table")


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
