"""Sending to Kafka: librdkafka's producer, polled in a thread of its own, with results handed to the event loop.

The asyncio producer of the client library cannot send headers, so this is the synchronous one. Only the thread calls
``poll`` and ``flush``, hence every delivery report arrives in it; ``produce`` never blocks and is called from the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer

from loom.adapters.kafka.catalogue import Catalogue
from loom.adapters.kafka.delivery import Delivery, judged_together, with_followers
from loom.adapters.kafka.errors import error_of
from loom.adapters.kafka.options import producer_options
from loom.adapters.kafka.records import to_headers, to_timestamp
from loom.adapters.kafka.settings import KafkaSettings
from loom.domain.errors import EngineFailure, LoomError, RecordRefused, Unavailable
from loom.ports.transport import TopicRecord, to_bytes

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
        failed = await self.deliver(records)
        if failed:
            raise failed[min(failed)]

    async def deliver(self, records: Sequence[TopicRecord]) -> Mapping[int, LoomError]:
        self._check_open()
        if not records:
            return {}
        await self._catalogue.require({record.topic for record in records})
        failed, doubtful = await self._sent(records)
        # The broker judged these with the records that happened to come along. Alone, each gets its own answer.
        for index in with_followers(records, doubtful) if len(records) > 1 else ():
            failed.pop(index, None)
            alone, _ = await self._sent([records[index]])
            if alone:
                failed[index] = alone[0]
        away = [index for index, error in failed.items() if not isinstance(error, RecordRefused)]
        for index in with_followers(records, away):
            failed.setdefault(index, failed[away[0]])
        return failed

    async def _sent(self, records: Sequence[TopicRecord]) -> tuple[dict[int, LoomError], list[int]]:
        """What is not stored, by position, and the positions whose refusal may be meant for another record."""
        client = self._current().client
        delivery = Delivery(asyncio.get_running_loop(), records)
        for index, record in enumerate(records):
            failure = await self._produce(client, record, delivery)
            if isinstance(failure, RecordRefused):
                delivery.refuse([index], failure)
            elif failure is not None:
                # What went before is under way and is waited for; what follows is not sent, so that nothing overtakes.
                delivery.refuse(range(index, len(records)), failure)
                break
        await delivery.done
        reported = dict(delivery.reported())
        failed = {index: self._failure(error, records[index].topic) for index, error in reported.items()}
        doubtful = [index for index, error in reported.items() if judged_together(error)]
        return {**delivery.refused, **failed}, doubtful

    async def close(self) -> None:
        self.closed = True
        polled, self._polled = self._polled, None
        if polled is not None and (left := await asyncio.to_thread(polled.close)):
            raise Unavailable(
                f"{left} records were not confirmed by Kafka at {self._settings.brokers} "
                f"within {self._settings.delivery_timeout:g} s"
            )

    async def _produce(self, client: Producer, record: TopicRecord, delivery: Delivery) -> LoomError | None:
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
                    on_delivery=delivery.delivered,
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
            except UnicodeEncodeError as error:
                return RecordRefused(f"sending to topic {record.topic!r}: key or headers are no text ({error})")
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
