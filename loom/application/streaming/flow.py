"""The declaration of a flow: a source, a process, and a route for what fails."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, TypeAlias, TypeVar

import attrs

from loom.application.compile import here
from loom.application.streaming.failure import Policy
from loom.domain.errors import Place
from loom.domain.frozen import frozen

T = TypeVar("T")


def _written_at(node: object) -> Place:
    """The line that declares a node: the nearest caller that is no constructor (attrs makes some of them)."""
    depth = 1
    while sys._getframe(depth).f_code.co_name in ("__init__", "__attrs_init__"):
        depth += 1
    return here(type(node).__name__, depth=depth + 1)


@frozen(kw_only=True)
class Node:
    """Base of the nodes that are objects; it remembers where each was written."""

    declared_at: Place = attrs.field(
        default=attrs.Factory(_written_at, takes_self=True), init=False, eq=False, repr=False
    )


class Step:
    """Base of the nodes that are classes. The engine makes one object of the class for each binding of a flow.

    Attributes:
        name: name in dead letters, reports and graphs; the class name where it is empty. Unique in a flow.
        on_error: what to do with a record on which ``process`` raises.
    """

    name: ClassVar[str] = ""
    on_error: ClassVar[Policy | None] = None


AnyNode: TypeAlias = Node | type[Step]


class Process:
    """A path: each node takes what the one before it gives."""

    def __init__(self, *nodes: AnyNode) -> None:
        self.nodes = nodes
        self.declared_at = here("Process", depth=2)

    def __repr__(self) -> str:
        return f"Process({', '.join(map(repr, self.nodes))})"


@frozen
class FromTopic(Node):
    """Read records from a topic as a member of the flow's consumer group, which has the flow's name.

    Args:
        name: the topic.
        payload: attrs class of the decoded values.
        on_error: what to do with a record that cannot be decoded.
    """

    name: str
    payload: type
    on_error: Policy | None = attrs.field(default=None, kw_only=True)


@frozen
class StreamFlow(Node):
    """A flow, independent of the engine and broker that will run it.

    Args:
        name: name of the flow and of its consumer group.
        source: where records come from.
        process: what happens to them.
        errors: ``IntoTopic(..., payload=ErrorEnvelope)`` for records that cannot be handled; without it such a
            record stops the flow, unless its step says otherwise.
    """

    name: str
    source: FromTopic
    process: Process
    errors: Any = None


def as_process(path: Process | AnyNode) -> Process:
    """A path as it is; a single node as a path of one."""
    if isinstance(path, Process):
        return path
    made = Process(path)
    made.declared_at = getattr(path, "declared_at", made.declared_at)
    return made
