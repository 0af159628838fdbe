"""Dead letters: the source record as it came, and why it could not be handled."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from loom.application.streaming.running.tally import Tally
from loom.domain.errors import LoomError, StepFailed
from loom.domain.message import ErrorEnvelope
from loom.ports.clock import Clock
from loom.ports.codec import Codec
from loom.ports.transport import ReceivedRecord, TopicProducer, TopicRecord


@attrs.frozen(eq=False)
class Letters:
    """Sends dead letters. ``route`` is the flow's own topic for them."""

    producer: TopicProducer
    codec: Codec
    clock: Clock
    tally: Tally
    route: str | None

    async def send(
        self, topic: str | None, failed: Sequence[ReceivedRecord], *, step: str, error: Exception, attempts: int
    ) -> None:
        """Send one letter for each source record; returns when the broker holds them all."""
        letters = [self._letter(received, step, error, attempts) for received in failed]
        target = topic or self.route or ""
        await self.producer.send(
            [
                TopicRecord(topic=target, value=self.codec.encode(letter), key=letter.key, headers=letter.headers)
                for letter in letters
            ]
        )
        self.tally.dead_letters += len(letters)

    def _letter(self, received: ReceivedRecord, step: str, error: Exception, attempts: int) -> ErrorEnvelope:
        record, origin = received.record, received.origin
        return ErrorEnvelope(
            topic=origin.topic,
            partition=origin.partition,
            offset=origin.offset,
            key=record.key,
            value=record.value,
            headers=record.headers,
            code=error.code if isinstance(error, LoomError) else StepFailed.code,
            message=f"{type(error).__name__}: {error}",
            step=step,
            attempts=attempts,
            failed_at=self.clock.now(),
        )
