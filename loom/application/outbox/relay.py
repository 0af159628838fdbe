"""The relay: moves committed records out, at least once, in order per key.

A record is marked as sent only after its receiver holds it. A crash in between sends it again, and receivers
recognise it by its id. A record that cannot be sent holds back the later records of its key, and no others.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import attrs

from loom.application.outbox.senders import Sender
from loom.domain.errors import LoomError, Unavailable
from loom.domain.events import OutboxKind, OutboxRecord
from loom.ports.clock import Clock
from loom.ports.persistence import RelayStore

log = logging.getLogger("loom.outbox")

_LONGEST_BACKOFF = dt.timedelta(minutes=1)
_positive = attrs.validators.gt(0.0)


@attrs.frozen(eq=False, kw_only=True, repr=False)
class RelaySettings:
    """``outbox``: how the relay works. Durations are in seconds.

    Attributes:
        batch: most records that are claimed together.
        lease: how long a claim hides records from other relays; it must exceed the time that one batch takes to send.
        poll_interval: how often the relay looks for records of other processes; it is woken by those of its own.
        backoff: how long a record that could not be sent waits at first; longer after each further attempt.
    """

    batch: int = attrs.field(default=500, validator=attrs.validators.ge(1))
    lease: float = attrs.field(default=60.0, validator=_positive)
    poll_interval: float = attrs.field(default=1.0, validator=_positive)
    backoff: float = attrs.field(default=0.5, validator=_positive)


Watch = Callable[[OutboxKind, int], None]
"""Told of records of one kind that were sent, or that could not be."""


def _unwatched(kind: OutboxKind, count: int) -> None:
    pass


@attrs.define(eq=False, repr=False)
class Relay:
    """Relays one store's outbox. Several relays may run against one store: claims are exclusive.

    ``on_sent`` and ``on_failed`` are told how many records arrived, and how many wait for another try.
    """

    store: RelayStore
    senders: Mapping[OutboxKind, Sender]
    clock: Clock
    settings: RelaySettings = RelaySettings()
    on_sent: Watch = _unwatched
    on_failed: Watch = _unwatched
    _wake: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def wake(self) -> None:
        """Look now rather than at the next poll. Call it from the relay's own event loop."""
        self._wake.set()

    async def run_once(self) -> int:
        """Claim and send one batch; returns how many records arrived."""
        now = self.clock.now()
        lease = dt.timedelta(seconds=self.settings.lease)
        records = await self.store.claim(self.settings.batch, now=now, lease=lease)
        arrived = 0
        for kind, group in groupby(records, key=lambda record: record.kind):
            arrived += await self._send(self.senders[kind], list(group))
        return arrived

    async def run_until_empty(self) -> int:
        """Send until a pass sends nothing; returns how many records arrived. Failed ones wait for their retry."""
        total = 0
        while arrived := await self.run_once():
            total += arrived
        return total

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop`` is set; whatever goes wrong with the store is tried again at the next poll."""
        while not stop.is_set():
            self._wake.clear()
            try:
                moved = await self.run_once()
            except LoomError as error:
                log.warning("the outbox cannot be read: %s", error)
                moved = 0
            except Exception:  # a relay that ended by a fault would hold everything back, and nobody would know
                log.exception("the outbox cannot be relayed")
                moved = 0
            if not moved:
                await self._pause(stop)

    async def close(self) -> None:
        """Close the senders."""
        for sender in self.senders.values():
            await sender.close()

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._wake, stop)]
        await asyncio.wait(waits, timeout=self.settings.poll_interval, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _send(self, sender: Sender, records: Sequence[OutboxRecord]) -> int:
        try:
            await sender.send(records)
        except LoomError as error:
            # A receiver that does not answer answers none of them: trying one by one would wait for each.
            if len(records) == 1 or isinstance(error, Unavailable):
                await self._failed(records, error)
                return 0
            return await self._send_apart(sender, records)
        await self._arrived(records)
        return len(records)

    async def _send_apart(self, sender: Sender, records: Sequence[OutboxRecord]) -> int:
        """Find the records that cannot be sent, so that one bad record does not hold back all others."""
        arrived = 0
        held: dict[str, LoomError] = {}
        for record in records:
            if record.key and record.key in held:
                await self._failed([record], held[record.key])
                continue
            try:
                await sender.send([record])
            except LoomError as error:
                held[record.key] = error
                await self._failed([record], error)
            else:
                await self._arrived([record])
                arrived += 1
        return arrived

    async def _arrived(self, records: Sequence[OutboxRecord]) -> None:
        await self.store.sent([record.id for record in records], now=self.clock.now())
        self.on_sent(records[0].kind, len(records))

    async def _failed(self, records: Sequence[OutboxRecord], error: LoomError) -> None:
        attempts = max(record.attempts for record in records)
        wait = min(dt.timedelta(seconds=self.settings.backoff * 2 ** min(attempts, 16)), _LONGEST_BACKOFF)
        log.warning("%d outbox records wait %s for another try: %s", len(records), wait, error)
        await self.store.failed([record.id for record in records], reason=str(error), retry_at=self.clock.now() + wait)
        self.on_failed(records[0].kind, len(records))
