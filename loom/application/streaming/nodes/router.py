"""``Router``: each record takes the first route whose condition it meets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from loom.application.streaming.failure import FailurePlan
from loom.application.streaming.flow import AnyNode, Node, Process, as_process
from loom.application.streaming.kinds import NODES, NodeKind, Planned, Spot
from loom.application.streaming.plan import BranchPlan
from loom.application.streaming.predicates import compile_condition
from loom.application.streaming.running.guard import GONE, Guarded
from loom.application.streaming.running.items import Item
from loom.application.streaming.running.operators import BRANCHES, Opening, Rest
from loom.application.streaming.shapes import NOTHING, RECORDS
from loom.domain.expr import Expr
from loom.domain.frozen import frozen
from loom.domain.message import Envelope


@frozen(kw_only=True)
class Route:
    """A condition over ``payload.*``, ``msg.key`` and ``msg.headers["..."]``, and the path for what meets it."""

    when: Expr = attrs.field(eq=False)
    process: Process | AnyNode


@attrs.frozen(init=False)
class Router(Node):
    """Send each record down the first route whose condition is true, else down ``default``. Ends the path.

    Write ``default=Drain()`` where the others are not wanted.
    """

    routes: tuple[Route, ...]
    default: Process | AnyNode | None

    def __init__(self, *routes: Route, default: Process | AnyNode | None = None) -> None:
        self.__attrs_init__(routes, default)


Condition = Callable[[Envelope[Any]], bool]


@frozen(kw_only=True)
class RouterPlan(BranchPlan):
    """One condition for each path but the last, which takes the others."""

    conditions: tuple[Condition, ...]
    failure: FailurePlan


def _plan(node: Router, spot: Spot) -> Planned:
    if not node.routes:
        spot.issue("LOOM-STREAM-017", "the Router has no routes", "write Router(Route(when=..., process=...), ...)")
    if node.default is None:
        spot.issue(
            "LOOM-STREAM-017",
            "the Router has no default, so records that meet no condition would vanish",
            "add default=Process(...), or default=Drain() to drop them",
        )
    conditions = tuple(compile_condition(route.when, spot) for route in node.routes)
    paths = [spot.branch(as_process(route.process), f"when{index}") for index, route in enumerate(node.routes)]
    if node.default is not None:
        paths.append(spot.branch(as_process(node.default), "default"))
    stage = RouterPlan(
        id=spot.id,
        title=spot.title,
        paths=tuple(paths),
        labels=(*(repr(route.when) for route in node.routes), "otherwise"),
        conditions=conditions,
        failure=spot.failure(None),
    )
    return Planned(stage, NOTHING)


class Switch:
    """Sorts records into paths."""

    def __init__(self, plan: RouterPlan, opening: Opening) -> None:
        self._conditions = plan.conditions
        self._guard = opening.guard
        self._guarded = Guarded(name=plan.title, failure=plan.failure)

    def start(self, moved: list[Item], outs: list[list[Item]]) -> Rest | None:
        failed = self._run(0, moved, outs)
        return None if failed is None else self._rest(failed, moved, outs)

    def _run(self, position: int, moved: list[Item], outs: list[list[Item]]) -> tuple[int, Exception] | None:
        for at in range(position, len(moved)):
            try:
                path = self._path(moved[at].envelope)
            except Exception as error:  # noqa: BLE001 - a condition over untyped data may meet anything
                return at, error
            outs[path].append(moved[at])
        return None

    async def _rest(self, failed: tuple[int, Exception] | None, moved: list[Item], outs: list[list[Item]]) -> None:
        while failed is not None:
            at, error = failed
            item = moved[at]
            path = await self._guard.call(self._guarded, [item], partial(self._path, item.envelope), error)
            if path is not GONE:
                outs[path].append(item)
            failed = self._run(at + 1, moved, outs)

    def _path(self, envelope: Envelope[Any]) -> int:
        for index, condition in enumerate(self._conditions):
            if condition(envelope):
                return index
        return len(self._conditions)


NODES.register(Router, NodeKind(takes=RECORDS, title=lambda node: "Router", plan=_plan))
BRANCHES.register(RouterPlan, Switch)
