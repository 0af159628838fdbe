"""What a kind of node tells the compiler, and what the compiler tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from loom.application.compile import Issues, Kinds
from loom.application.streaming.failure import FailurePlan, Policy
from loom.application.streaming.flow import AnyNode, Process
from loom.application.streaming.plan import Path, StagePlan
from loom.application.streaming.shapes import Moving, Shape
from loom.application.wiring import Resolver
from loom.domain.errors import Place
from loom.domain.frozen import frozen


class Spot(Protocol):
    """Protocol of the place in a flow at which a node is compiled.

    Attributes:
        id: id of the node's stage, unique in the flow.
        title: what messages call the node.
        place: where it was written.
        arrives: what the node before it gives.
        before: what messages call that node.
        issues: takes everything that is wrong.
        resolver: asked which constructor arguments the container can give.
    """

    id: str
    title: str
    place: Place
    arrives: Moving
    before: str

    @property
    def issues(self) -> Issues:
        """See above."""

    @property
    def resolver(self) -> Resolver:
        """See above."""

    def issue(self, code: str, message: str, remedy: str = "") -> None:
        """Record an issue at this place."""

    def expect(self, wanted: Any) -> None:
        """Record an issue where the arriving payload is not one of ``wanted``."""

    def branch(self, process: Process, label: str) -> Path:
        """Compile a side path that takes what arrives here."""

    def rest(self) -> Path:
        """Compile the nodes behind this one as a path of its own; the node ends the path that it stands in."""

    def failure(self, policy: Policy | None) -> FailurePlan:
        """Compile a failure policy."""

    def claim_topic(self, topic: str) -> None:
        """Record an issue where the flow cannot write into a topic."""

    def claim_table(self, entity: type) -> None:
        """Record an issue where the store will not know an entity."""

    def claim_step(self, name: str) -> None:
        """Record an issue where another step of the flow has the name already."""


@frozen
class Planned:
    """What a node became. ``stage`` is ``None`` only where an issue was recorded."""

    stage: StagePlan | None
    leaves: Moving


@frozen(kw_only=True)
class NodeKind:
    """Behaviour of one kind of node.

    Attributes:
        takes: shapes that it accepts.
        title: what messages call a node of the kind.
        plan: compiles it. It is called once the shape is right.
    """

    takes: frozenset[Shape]
    title: Callable[[Any], str]
    plan: Callable[[Any, Spot], Planned]


NODES: Kinds[NodeKind] = Kinds("node")


def title_of(node: AnyNode) -> str:
    """What messages call a node."""
    kind = NODES.of(node)
    return kind.title(node) if kind else getattr(node, "__name__", type(node).__name__)
