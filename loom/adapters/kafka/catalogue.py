"""Which topics exist, how many partitions and records they have: everything that the admin client is asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from loom.adapters.kafka.errors import error_of, unreachable
from loom.adapters.kafka.options import admin_options
from loom.adapters.kafka.settings import KafkaSettings
from loom.domain.errors import LoomError, NotFound

_POLL = 0.05


class Catalogue:
    """The topics of one cluster. Shared by all clients of it; safe to use from any thread and event loop."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._admin: AdminClient | None = None
        self._known: set[str] = set()

    async def ensure(self, topics: Mapping[str, int]) -> None:
        """Create the missing ones and wait until the cluster knows them."""
        await asyncio.to_thread(self._ensure, topics)

    async def require(self, topics: Iterable[str]) -> None:
        """Make sure that topics exist before they are used; asks the cluster once for each name.

        Raises:
            NotFound: a topic does not exist, and the settings do not create it.
            Unavailable: no broker answers.
        """
        unknown = [topic for topic in topics if topic not in self._known]
        if unknown:
            await asyncio.to_thread(self._require, unknown)

    async def counts(self, topics: Sequence[str]) -> dict[str, int]:
        """Records of each topic, from the distance between first and next offset of its partitions."""
        return await asyncio.to_thread(self._counts, topics) if topics else {}

    def _require(self, topics: Sequence[str]) -> None:
        existing = self._partitions("looking up topics")
        missing = [topic for topic in topics if topic not in existing]
        if missing and not self._settings.create_missing:
            raise NotFound("topic", missing[0])
        if missing:
            self._ensure(dict.fromkeys(missing, self._settings.partitions))
        self._known.update(topics)

    def _ensure(self, topics: Mapping[str, int]) -> None:
        existing = self._partitions("ensuring topics")
        missing = {topic: partitions for topic, partitions in topics.items() if topic not in existing}
        if missing:
            self._create(missing)
            self._await_metadata(missing)
        self._known.update(topics)

    def _create(self, topics: Mapping[str, int]) -> None:
        wanted = [
            NewTopic(topic, num_partitions=partitions, replication_factor=self._settings.replication)
            for topic, partitions in topics.items()
        ]
        timeout = self._settings.connect_timeout
        created = self._client().create_topics(wanted, operation_timeout=timeout, request_timeout=timeout)
        for topic, future in created.items():
            try:
                future.result()
            except KafkaException as error:
                # Another process was quicker, which is as good.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._error(error, f"creating topic {topic!r}") from error

    def _await_metadata(self, topics: Iterable[str]) -> None:
        # The controller answers before every broker has heard; a client that asks too early would be told "unknown".
        pause = threading.Event()
        for _ in range(max(1, int(self._settings.connect_timeout / _POLL))):
            if self._partitions("ensuring topics").keys() >= set(topics):
                return
            pause.wait(_POLL)
        raise unreachable(
            "waiting for new topics", brokers=self._settings.brokers, seconds=self._settings.connect_timeout
        )

    def _counts(self, topics: Sequence[str]) -> dict[str, int]:
        partitions = self._partitions("counting records")
        wanted = [TopicPartition(topic, number) for topic in topics for number in range(partitions.get(topic, 0))]
        counts = dict.fromkeys(topics, 0)
        latest, earliest = OffsetSpec.latest(), OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        for spec, sign in ((latest, 1), (earliest, -1)):
            for place, offset in self._offsets(wanted, spec):
                counts[place.topic] += sign * offset
        return counts

    def _offsets(self, partitions: Sequence[TopicPartition], spec: OffsetSpec) -> list[tuple[TopicPartition, int]]:
        if not partitions:
            return []
        request: dict[TopicPartition, Any] = dict.fromkeys(partitions, spec)
        futures = self._client().list_offsets(request, request_timeout=self._settings.connect_timeout)
        try:
            return [(place, future.result().offset) for place, future in futures.items()]
        except KafkaException as error:
            raise self._error(error, "counting records") from error

    def _partitions(self, doing: str) -> dict[str, int]:
        try:
            # All of them: a request for one name would make brokers that create topics by themselves create it.
            metadata = self._client().list_topics(timeout=self._settings.connect_timeout)
        except KafkaException as error:
            raise self._error(error, doing) from error
        return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}

    def _client(self) -> AdminClient:
        # Made by first use: a process that forks must not carry a client over.
        with self._lock:
            if self._admin is None:
                self._admin = AdminClient(admin_options(self._settings))
            return self._admin

    def _error(self, error: KafkaException, doing: str) -> LoomError:
        kafka: KafkaError = error.args[0]
        brokers = self._settings.brokers
        if kafka.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN):
            return unreachable(doing, brokers=brokers, seconds=self._settings.connect_timeout)
        return error_of(kafka, doing, brokers=brokers)
