"""The ``Topics`` port on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

from loom.adapters.kafka.catalogue import Catalogue
from loom.adapters.kafka.consumer import KafkaConsumer
from loom.adapters.kafka.producer import KafkaProducer
from loom.adapters.kafka.settings import KafkaSettings

C = TypeVar("C", KafkaProducer, KafkaConsumer)


class KafkaTopics:
    """One Kafka cluster. Connects with the first use, so that a process may fork after it was made.

    ``counts`` are distances between offsets: exact where records were sent without transactions; the markers of
    transactions, and records of aborted ones, are counted too, and records that compaction removed still are.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._catalogue = Catalogue(settings)
        self._clients: list[KafkaProducer | KafkaConsumer] = []

    async def ensure(self, topics: Mapping[str, int]) -> None:
        await self._catalogue.ensure(topics)

    def producer(self) -> KafkaProducer:
        return self._kept(KafkaProducer(self._settings, self._catalogue))

    def consumer(self, topics: Sequence[str], *, group: str) -> KafkaConsumer:
        return self._kept(KafkaConsumer(self._settings, self._catalogue, topics, group))

    async def counts(self, topics: Sequence[str]) -> Mapping[str, int]:
        return await self._catalogue.counts(topics)

    async def close(self) -> None:
        """Close every client that is still open; all are tried before the first failure is raised."""
        clients, self._clients = self._clients, []
        outcomes = await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _kept(self, client: C) -> C:
        self._clients = [*(known for known in self._clients if not known.closed), client]
        return client
