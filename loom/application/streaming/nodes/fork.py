"""``Fork`` and ``Broadcast``: every record goes down several paths."""

from __future__ import annotations

import attrs

from loom.application.streaming.flow import AnyNode, Node, Process, as_process
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import BranchPlan, Path
from loom.application.streaming.running.items import Moved, records
from loom.application.streaming.running.operators import BRANCHES, Opening, Rest
from loom.application.streaming.shapes import ANY_SHAPE, NOTHING
from loom.domain.frozen import frozen


@frozen
class Fork(Node):
    """Send everything down a side path as well, and go on with the nodes that follow."""

    side: Process | AnyNode


@attrs.frozen(init=False)
class Broadcast(Node):
    """Send everything down each of several paths. Ends the path."""

    processes: tuple[Process | AnyNode, ...]

    def __init__(self, *processes: Process | AnyNode) -> None:
        self.__attrs_init__(processes)


@frozen(kw_only=True)
class CopyPlan(BranchPlan):
    """Each path gets everything."""


def _fork(node: Fork, spot: Spot) -> Planned:
    side = spot.branch(as_process(node.side), "side")
    return _copies(spot, (side, spot.rest()), ("aside", "on"))


def _broadcast(node: Broadcast, spot: Spot) -> Planned:
    if len(node.processes) < 2:
        spot.issue(
            "LOOM-STREAM-018",
            f"Broadcast has {len(node.processes)} paths",
            "give it two or more: Broadcast(Process(...), Process(...))",
        )
    paths = tuple(spot.branch(as_process(each), f"to{index}") for index, each in enumerate(node.processes))
    return _copies(spot, paths, tuple(f"path {index}" for index, _ in enumerate(paths, start=1)))


def _copies(spot: Spot, paths: tuple[Path, ...], labels: tuple[str, ...]) -> Planned:
    return Planned(CopyPlan(id=spot.id, title=spot.title, paths=paths, labels=labels), NOTHING)


class Copies:
    """Gives the same items to every path; each of them must then be released once a path."""

    def __init__(self, plan: CopyPlan, opening: Opening) -> None:
        self._paths = len(plan.paths)

    def start(self, moved: list[Moved], outs: list[list[Moved]]) -> Rest | None:
        for item in records(moved):
            item.lineage.split(self._paths)
        for out in outs:
            out.extend(moved)
        return None


NODES.register(Fork, NodeKind(takes=ANY_SHAPE, title=lambda node: "Fork", plan=_fork))
NODES.register(Broadcast, NodeKind(takes=ANY_SHAPE, title=lambda node: "Broadcast", plan=_broadcast))
BRANCHES.register(CopyPlan, Copies)
