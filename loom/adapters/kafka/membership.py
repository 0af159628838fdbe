"""One member of a consumer group: it joins, reads, commits and leaves. Synchronous; used by one thread at a time.

Commits are sent without blocking and their answers awaited here: librdkafka's own blocking commit would wait for a
broker that is gone as long as the session lasts, and nothing could stop it.

A member that does not poll for ``max.poll.interval.ms`` loses its partitions, however long its records may take. So
``keep_alive`` polls while they are worked on, with the partitions paused: whatever it serves is an event, no record.

That no broker is left is a notice of librdkafka, which goes on connecting by itself. It becomes a failure for as long
as a question to the brokers is not answered.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from loom.adapters.kafka.errors import error_of, unreachable
from loom.adapters.kafka.ledger import Ledger
from loom.adapters.kafka.options import consumer_options, logger
from loom.adapters.kafka.paused import PausedPartitions
from loom.adapters.kafka.records import received
from loom.adapters.kafka.settings import KafkaSettings
from loom.domain.errors import ConfigError, Issue, LoomError, Place, Unavailable
from loom.domain.message import Origin
from loom.ports.transport import ReceivedRecord

# The group is changing; the same commit succeeds, or is void, when that is over.
_REBALANCING = frozenset(
    {
        *(KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID),
        *(KafkaError._ASSIGNMENT_LOST, KafkaError._STATE, KafkaError.STALE_MEMBER_EPOCH),
    }
)
# A poll that only serves callbacks still waits this long for a message.
_ANSWER_POLL = 0.002
# Seconds that an answer of a broker may take which is asked whether it is there.
_PROBE = 1.0
# Messages that are kept for later reads, before the partitions are paused.
_MOST_EARLY = 1000


class Membership:
    """The client of one member."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[str], group: str) -> None:
        self._paused = PausedPartitions()
        self._settings = settings
        self._topics = list(topics)
        self.group = group
        self._ledger = Ledger()
        self._client: Consumer | None = None
        self._assigned = False
        # Messages that arrived while the answer to a commit was awaited.
        self._early: deque[Message] = deque()
        self._failure: LoomError | None = None
        self._away: KafkaError | None = None
        # How often the member was expelled since its last commit.
        self._expelled = 0
        self._commit_error: KafkaError | None = None

    def read(self, limit: int, timeout: float) -> list[ReceivedRecord]:
        """Up to ``limit`` records; a failure is raised when everything that came before it has been handed over."""
        client = self._joined()
        if self._ledger.pending:
            self._send_commit(client)
        self._raise_failure()
        if not self._early:
            self._paused.resume(client)
        messages = self._messages(client, limit, timeout)
        records = [record for message in messages if (record := self._received(message)) is not None]
        if not records:
            self._raise_failure()
            self._ask_whether_away(client)
        return records

    def keep_alive(self) -> None:
        """Stay a member while nobody reads: what was read is still worked on."""
        client = self._client
        if client is None:
            return
        try:
            self._paused.pause(client)
            message = client.poll(0)
        except KafkaException as error:
            # Whoever reads next meets it again.
            logger.debug("keeping the membership of group %s: %s", self.group, error)
            return
        if message is not None:
            # It was on its way when the partition was paused.
            self._early.append(message)

    def caught_up(self) -> bool:
        """Whether every record of the partitions that are ours now has been handed over.

        Raises:
            Unavailable: a broker did not say in time where its partitions end.
        """
        if self._client is None or not self._assigned or self._early:
            return False
        places = self._client.assignment()
        # Asking costs a round trip for each partition, so what is known to be unread comes first.
        return all(self._reached(place) >= 0 for place in places) and all(
            self._reached(place) >= self._end(self._client, place) for place in places
        )

    def commit(self, origins: Iterable[Origin]) -> None:
        """Record offsets; while the group is changing they wait for the next read.

        Raises:
            Unavailable: no answer came in time; the offsets are sent again with the next read.
        """
        self._ledger.done(origins)
        if self._client is not None and self._ledger.pending:
            self._send_commit(self._client)
            self._await_commit(self._client)

    def leave(self) -> None:
        """Commit what waits, and leave the group so that others take over at once."""
        if self._client is None:
            return
        try:
            self.commit(())
        except LoomError as error:
            # The records are read again by the next member, as after any crash.
            logger.warning("leaving group %s without its last commit: %s", self.group, error)
        finally:
            self._client.close()
            self._client = None

    def _joined(self) -> Consumer:
        if self._client is None:
            options = consumer_options(self._settings, self.group)
            self._client = Consumer({**options, "error_cb": self._on_error, "on_commit": self._on_commit})
            self._client.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
        return self._client

    def _messages(self, client: Consumer, limit: int, timeout: float) -> list[Message]:
        if self._early:
            return [self._early.popleft() for _ in range(min(limit, len(self._early)))]
        first = client.poll(timeout)
        if first is None:
            return []
        # The rest of what is here already: consume() with a timeout would wait until it is full.
        return [first, *(client.consume(limit - 1, 0) if limit > 1 else [])]

    def _received(self, message: Message) -> ReceivedRecord | None:
        error = message.error()
        if error is not None:
            self._on_message_error(error, message)
            return None
        record = received(message)
        self._ledger.read(record.origin)
        return record

    def _reached(self, place: TopicPartition) -> int:
        return self._ledger.reached((place.topic, place.partition))

    def _end(self, client: Consumer, place: TopicPartition) -> int:
        doing, brokers, seconds = self._reading(), self._settings.brokers, self._settings.connect_timeout
        try:
            found = client.get_watermark_offsets(place, timeout=seconds, cached=False)
        except KafkaException as error:
            raise error_of(error.args[0], doing, brokers=brokers, topic=place.topic) from error
        if found is None:
            raise unreachable(doing, brokers=brokers, seconds=seconds)
        return found[1]

    def _send_commit(self, client: Consumer) -> None:
        self._commit_error = None
        try:
            client.commit(offsets=self._pending_offsets(), asynchronous=True)
        except KafkaException as error:
            self._on_commit(error.args[0], [])

    def _await_commit(self, client: Consumer) -> None:
        deadline = time.monotonic() + self._settings.connect_timeout
        while self._ledger.pending and self._commit_error is None:
            if time.monotonic() >= deadline:
                raise unreachable(
                    self._committing(), brokers=self._settings.brokers, seconds=self._settings.connect_timeout
                )
            if len(self._early) >= _MOST_EARLY:
                self._paused.pause(client)
            message = client.poll(_ANSWER_POLL)
            if message is not None:
                self._early.append(message)
        if self._commit_error is not None and self._commit_error.code() not in _REBALANCING:
            raise error_of(self._commit_error, self._committing(), brokers=self._settings.brokers)

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        if error is not None:
            self._commit_error = error
            logger.debug("commit of group %s: %s", self.group, error.name())
        for place in partitions if error is None else ():
            if place.error is None:
                self._expelled = 0
                self._ledger.confirmed((place.topic, place.partition), place.offset)
            else:
                self._commit_error = place.error

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned = True
        logger.info("group %s gives this member %s", self.group, _named(partitions))
        self._forget(partitions)

    def _on_revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        # Still ours until this returns: the last chance to say what is done. The coordinator has just spoken to us, so
        # this one may block.
        if self._ledger.pending:
            try:
                client.commit(offsets=self._pending_offsets(), asynchronous=False)
            except KafkaException as error:
                logger.warning("group %s gave up partitions without its last commit: %s", self.group, error)
        self._on_lost(client, partitions)

    def _on_lost(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        # Until the group has agreed again, what is ours is not the last word.
        self._assigned = False
        logger.info("group %s takes from this member %s", self.group, _named(partitions))
        self._forget(partitions)

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        gone = {(place.topic, place.partition) for place in partitions}
        for partition in gone:
            self._ledger.forget(partition)
        # Its records will be read by whoever has the partition now.
        self._early = deque(message for message in self._early if (message.topic(), message.partition()) not in gone)

    def _on_error(self, error: KafkaError) -> None:
        # librdkafka heals single connections by itself and says when no broker is left.
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._away = error
        elif error.fatal() or error.code() == KafkaError._AUTHENTICATION:
            self._fail(error_of(error, self._reading(), brokers=self._settings.brokers))

    def _on_message_error(self, error: KafkaError, message: Message) -> None:
        topic, partition, offset = message.topic() or "", message.partition(), message.offset()
        if error.code() == KafkaError._PARTITION_EOF and partition is not None and offset is not None:
            self._ledger.ended((topic, partition), offset)
            return
        if error.code() == KafkaError._MAX_POLL_EXCEEDED:
            # The member left the group and joins again with this poll; its partitions are reported as lost.
            self._on_expelled(error)
            return
        self._fail(error_of(error, self._reading(), brokers=self._settings.brokers, topic=topic))

    def _on_expelled(self, error: KafkaError) -> None:
        self._expelled += 1
        logger.warning("group %s expelled this member, which did not poll for too long: %s", self.group, error.str())
        if self._expelled > 1:
            # The same records again, and no further than before: it would go on like this for ever.
            issue = Issue(
                code="LOOM-KAFKA-002",
                where=Place(name="transport.options"),
                message=f"group {self.group!r} expelled this member twice before it could commit anything, as nothing "
                "could poll for it while its records were worked on",
                remedy="raise max.poll.interval.ms, lower streaming.poll_records, or let the step release the "
                "interpreter while it works",
            )
            self._failure = ConfigError([issue])

    def _ask_whether_away(self, client: Consumer) -> None:
        if self._away is None:
            return
        try:
            client.list_topics(self._topics[0], timeout=min(_PROBE, self._settings.connect_timeout))
        except KafkaException:
            raise error_of(self._away, self._reading(), brokers=self._settings.brokers) from None
        self._away = None

    def _fail(self, failure: LoomError) -> None:
        # A broker that is away for a moment must not hide what needs a person.
        if self._failure is None or isinstance(self._failure, Unavailable):
            self._failure = failure

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _pending_offsets(self) -> list[TopicPartition]:
        return [TopicPartition(topic, number, offset) for (topic, number), offset in self._ledger.pending.items()]

    def _reading(self) -> str:
        return f"reading {', '.join(self._topics)} as group {self.group!r}"

    def _committing(self) -> str:
        return f"committing for group {self.group!r}"


def _named(partitions: Sequence[TopicPartition]) -> str:
    found = ", ".join(f"{place.topic}[{place.partition}]" for place in partitions)
    return found or "no partition"
