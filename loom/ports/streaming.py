"""Protocol of stream engines. What they run is the application's affair, so the port is generic over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

import attrs

from loom.domain.frozen import frozen

FlowT_contra = TypeVar("FlowT_contra", contravariant=True)


class StopSignal(Protocol):
    """Protocol of the wish to end; ``threading.Event`` and ``asyncio.Event`` have it."""

    def is_set(self) -> bool:
        """Whether the flow is to drain and end. Asked from the engine's own thread."""


@frozen(kw_only=True)
class FlowReport:
    """What one run of a flow did. Counts are of this run, not of the topics.

    Attributes:
        flow: name of the flow.
        read: records that came from the source, undecodable ones included.
        repeated: of these, the ones that were read a second time, since their partition went to another member of the
            group and came back before they were committed.
        written: records by sink (name of the topic or table).
        dead_letters: source records that were sent to an error route.
        skipped: records that a failure policy dropped.
        retries: further attempts after a failure.
    """

    flow: str
    read: int = 0
    repeated: int = 0
    written: Mapping[str, int] = attrs.field(factory=dict)
    dead_letters: int = 0
    skipped: int = 0
    retries: int = 0


class StreamEngine(Protocol[FlowT_contra]):
    """Protocol of an engine. A source offset is committed only when everything derived from it has been written."""

    async def run(self, flow: FlowT_contra, *, stop: StopSignal, until_idle: bool = False) -> FlowReport:
        """Run a flow until it is stopped.

        Args:
            flow: a compiled and bound flow.
            stop: once set, the engine reads no more, finishes what it has read, commits, and returns.
            until_idle: also return once every record that the source holds now has been processed; batches that are
                still filling are closed then.

        Raises:
            StepFailed: a step raised and its policy is to stop. Nothing past the failed record is committed.
            EngineFailure: the same for the source or a sink.
        """
