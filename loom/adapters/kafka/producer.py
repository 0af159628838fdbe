"""Sending to Kafka: librdkafka's producer, polled in a thread of its own, with results handed to the event loop.

The asyncio producer of the client library cannot send headers, so this is the synchronous one. Only the thread calls
``poll`` and ``flush``, hence every delivery report arrives in it; ``produce`` never blocks and is called from the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from loom.adapters.kafka.catalogue import Catalogue
from loom.adapters.kafka.errors import error_of
from loom.adapters.kafka.options import producer_options
from loom.adapters.kafka.records import to_bytes, to_headers, to_timestamp
from loom.adapters.kafka.settings import KafkaSettings
from loom.domain.errors import EngineFailure, LoomError, Unavailable
from loom.ports.transport import TopicRecord

_POLL = 0.1
_FULL_QUEUE_PAUSE = 0.01


class KafkaProducer:
    """Sends batches; each waits for the confirmation of its own records only. Safe to share between tasks and loops."""

    def __init__(self, settings: KafkaSettings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._polled: _PolledProducer | None = None
        self.closed = False

    async def send(self, records: Sequence[TopicRecord]) -> None:
        self._check_open()
        if not records:
            return
        await self._catalogue.require({record.topic for record in records})
        polled = self._current()
        batch = _Batch(asyncio.get_running_loop(), len(records))
        failure: LoomError | None = None
        for index, record in enumerate(records):
            failure = await self._produce(polled.client, record, batch)
            if failure is not None:
                # What went before is under way and is waited for; what follows is not sent.
                batch.count_down(len(records) - index)
                break
        await batch.done
        if batch.error is not None:
            failure = self._failure(batch.error, batch.topic)
        if failure is not None:
            raise failure

    async def close(self) -> None:
        self.closed = True
        polled, self._polled = self._polled, None
        if polled is not None and (left := await asyncio.to_thread(polled.close)):
            raise Unavailable(
                f"{left} records were not confirmed by Kafka at {self._settings.brokers} "
                f"within {self._settings.delivery_timeout:g} s"
            )

    async def _produce(self, client: Producer, record: TopicRecord, batch: _Batch) -> LoomError | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.delivery_timeout
        while True:
            try:
                client.produce(
                    record.topic,
                    value=record.value,
                    key=None if record.key is None else to_bytes(record.key),
                    headers=to_headers(record.headers),
                    timestamp=to_timestamp(record.timestamp),
                    on_delivery=batch.delivered,
                )
            except BufferError:
                if loop.time() >= deadline:
                    return Unavailable(
                        f"the send queue for Kafka at {self._settings.brokers} stayed full "
                        f"for {self._settings.delivery_timeout:g} s"
                    )
                await asyncio.sleep(_FULL_QUEUE_PAUSE)
            except KafkaException as error:
                return self._failure(error.args[0], record.topic)
            else:
                return None

    def _failure(self, error: KafkaError, topic: str) -> LoomError:
        if error.fatal() or error.code() == KafkaError._FATAL:
            # An idempotent producer that lost its sequence is of no use any more; the next send makes a new one.
            with self._lock:
                if self._polled is not None:
                    self._polled.stop()
                self._polled = None
        return error_of(error, f"sending to topic {topic!r}", brokers=self._settings.brokers, topic=topic)

    def _current(self) -> _PolledProducer:
        with self._lock:
            self._check_open()
            if self._polled is None:
                self._polled = _PolledProducer(self._settings)
            return self._polled

    def _check_open(self) -> None:
        if self.closed:
            raise EngineFailure("the producer is closed")


class _Batch:
    """Counts the confirmations of one ``send``; reports come from the polling thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self.done: asyncio.Future[None] = loop.create_future()
        self.error: KafkaError | None = None
        self.topic = ""
        self._loop = loop
        self._left = size
        self._lock = threading.Lock()

    def delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self.error is None:
            self.error = error
            self.topic = message.topic() or ""
        self.count_down(1)

    def count_down(self, count: int) -> None:
        with self._lock:
            self._left -= count
            finished = self._left == 0
        if finished:
            # The loop may have ended while its records were under way; then nobody waits for them.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class _PolledProducer:
    """One librdkafka producer with the thread that serves its delivery reports."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.client = Producer(producer_options(settings))
        self._stopping = threading.Event()
        # A little more than a record's own time, so that its own report of a failure comes first.
        self._flush_timeout = settings.delivery_timeout + 1.0
        self._left = 0
        self._thread = threading.Thread(target=self._serve, name="loom-kafka-producer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Flush and end, without waiting for it."""
        self._stopping.set()

    def close(self) -> int:
        """Flush and end; returns how many records were given up."""
        self.stop()
        self._thread.join()
        return self._left

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self.client.poll(_POLL)
        self._left = self.client.flush(self._flush_timeout)
        if self._left:
            # Their senders still wait: purging reports each of them as failed.
            self.client.purge()
            self.client.poll(_POLL)
