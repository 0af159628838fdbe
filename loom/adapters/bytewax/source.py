"""A Bytewax source over any ``Topics``: the flow stays a member of its consumer group and commits there.

Bytewax's own Kafka source assigns partitions by itself and knows no group, so that nobody could see how far it is.
"""

from __future__ import annotations

from collections.abc import Callable

from bytewax.inputs import DynamicSource, StatelessSourcePartition

from loom.adapters.bytewax.bridge import Bridge
from loom.adapters.bytewax.settings import BytewaxSettings
from loom.application.streaming.running.items import Item
from loom.application.streaming.running.session import FlowSession
from loom.domain.errors import EngineFailure


class SessionSource(DynamicSource[Item]):
    """Reads from a session. Between two reads the worker thread asks whether to go on.

    Args:
        session: what is read from.
        bridge: the way to the session's event loop.
        settings: how much and how long.
        ended: the flow is to drain and end.
        cancelled: the flow is to end at once, without closing its batches.
        until_idle: the flow ends when nothing is left to read.
    """

    def __init__(
        self,
        session: FlowSession,
        bridge: Bridge,
        settings: BytewaxSettings,
        *,
        ended: Callable[[], bool],
        cancelled: Callable[[], bool],
        until_idle: bool,
    ) -> None:
        self._session = session
        self._bridge = bridge
        self._settings = settings
        self._ended = ended
        self._cancelled = cancelled
        self._until_idle = until_idle

    def build(self, step_id: str, worker_index: int, worker_count: int) -> StatelessSourcePartition[Item]:
        return _Partition(self)

    def read(self) -> list[Item]:
        """The next records.

        Raises:
            StopIteration: the flow is to end.
            EngineFailure: it is to end at once. An end by ``StopIteration`` would close batches that are still filling.
        """
        if self._cancelled():
            raise EngineFailure("the flow was cancelled")
        items = None if self._ended() or self._session.failed else self._bridge.run(self._turn())
        if items is None:
            raise StopIteration
        return items

    async def _turn(self) -> list[Item] | None:
        # What the operators have finished since the last read can be committed before more is read.
        await self._session.commit()
        if self._until_idle and await self._session.caught_up():
            return None
        return await self._session.poll(limit=self._settings.poll_records, timeout=self._settings.poll_seconds)


class _Partition(StatelessSourcePartition[Item]):
    def __init__(self, source: SessionSource) -> None:
        self._source = source

    def next_batch(self) -> list[Item]:
        return self._source.read()
