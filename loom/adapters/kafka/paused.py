"""Partitions of a member that give nothing for now."""

from __future__ import annotations

import contextlib

from confluent_kafka import Consumer, KafkaException, TopicPartition

from loom.adapters.kafka.ledger import Partition


class PausedPartitions:
    """Pauses and resumes what is assigned to a member.

    librdkafka keeps the pause of a partition that goes away and comes back, so it is remembered until it is ended.
    """

    def __init__(self) -> None:
        self._paused: set[Partition] = set()

    def pause(self, client: Consumer) -> None:
        """Pause every partition that is assigned now. What was fetched and not read is fetched again later."""
        fresh = [place for place in client.assignment() if (place.topic, place.partition) not in self._paused]
        if fresh:
            # A partition that is taken away at this moment needs no pause.
            with contextlib.suppress(KafkaException):
                client.pause(fresh)
            self._paused.update((place.topic, place.partition) for place in fresh)

    def resume(self, client: Consumer) -> None:
        """End the pause of every partition that is assigned now."""
        if not self._paused:
            return
        ours = {(place.topic, place.partition) for place in client.assignment()} & self._paused
        if ours:
            with contextlib.suppress(KafkaException):
                client.resume([TopicPartition(topic, number) for topic, number in ours])
            self._paused -= ours
