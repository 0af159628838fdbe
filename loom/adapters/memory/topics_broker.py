"""The state of the in-memory broker: logs, groups, and who waits for records. One lock guards all of it.

Everything here is synchronous and short, so that members may live in different threads and event loops.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.application.compile import did_you_mean
from loom.domain.errors import LoomError, NotFound, RecordRefused, Unavailable
from loom.domain.message import Origin
from loom.ports.transport import ReceivedRecord, TopicRecord, to_bytes

Partition: TypeAlias = tuple[str, int]


@attrs.define(eq=False)
class Member:
    """One consumer as its group sees it: what it reads, what it owns, and how far it has read."""

    topics: tuple[str, ...]
    group: str
    # Offset of the next record to read, for each owned partition.
    positions: dict[Partition, int] = attrs.field(factory=dict)
    # Offset of the first record read since the partition was assigned; older records are another member's business.
    read_from: dict[Partition, int] = attrs.field(factory=dict)
    turn: int = 0


@attrs.define(eq=False)
class _Group:
    members: list[Member] = attrs.field(factory=list)
    commits: dict[Partition, int] = attrs.field(factory=dict)


class Broker:
    """Logs and groups of one broker. Safe to call from any thread."""

    def __init__(self, settings: MemoryTopicsSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._logs: dict[str, list[list[ReceivedRecord]]] = {}
        self._groups: dict[str, _Group] = {}
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._down: str | None = None
        self._unkeyed = 0

    def go_down(self, reason: str) -> None:
        with self._lock:
            self._down = reason
            self._wake()

    def come_up(self) -> None:
        with self._lock:
            self._down = None

    def ensure(self, topics: Mapping[str, int]) -> None:
        with self._lock:
            self._check_up()
            for topic, partitions in topics.items():
                self._create(topic, partitions)

    def append(self, records: Sequence[TopicRecord], now: dt.datetime) -> dict[int, LoomError]:
        """Store all records but those that are refused, which are returned by their position.

        Where the broker is down, or a topic does not exist, none is stored.
        """
        refused: dict[int, LoomError] = {}
        with self._lock:
            self._check_up()
            for topic in {record.topic for record in records}:
                self._require(topic)
            for index, record in enumerate(records):
                try:
                    self._append(record, now)
                except RecordRefused as error:
                    refused[index] = error
            self._wake()
        return refused

    def counts(self, topics: Sequence[str]) -> dict[str, int]:
        with self._lock:
            self._check_up()
            return {topic: sum(len(log) for log in self._logs.get(topic, [])) for topic in topics}

    def join(self, member: Member) -> None:
        with self._lock:
            self._check_up()
            for topic in member.topics:
                self._require(topic)
            self._groups.setdefault(member.group, _Group()).members.append(member)
            self._rebalance(member.group)

    def leave(self, member: Member) -> None:
        with self._lock:
            members = self._groups[member.group].members
            if member in members:
                members.remove(member)
                self._rebalance(member.group)

    def read(self, member: Member, limit: int) -> list[ReceivedRecord]:
        """Up to ``limit`` records from the member's partitions, which take turns in going first."""
        with self._lock:
            self._check_up()
            owned = sorted(member.positions)
            member.turn += 1
            found: list[ReceivedRecord] = []
            for index in range(len(owned)):
                partition = owned[(index + member.turn) % len(owned)]
                found += self._read(member, partition, limit - len(found))
            return found

    def caught_up(self, member: Member) -> bool:
        with self._lock:
            self._check_up()
            ends = {partition: len(self._logs[partition[0]][partition[1]]) for partition in member.positions}
            return ends == member.positions

    def commit(self, member: Member, origins: Sequence[Origin]) -> None:
        with self._lock:
            self._check_up()
            commits = self._groups[member.group].commits
            for origin in origins:
                partition = (origin.topic, origin.partition)
                # What was read before a partition went to another member, and perhaps came back, is not ours to say.
                if origin.offset >= member.read_from.get(partition, origin.offset + 1):
                    commits[partition] = max(commits.get(partition, 0), origin.offset + 1)

    def waiter(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """A future that is done when something was appended, assigned or broken. Ask before reading, not after."""
        with self._lock:
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, future))
            return future

    def forget(self, future: asyncio.Future[None]) -> None:
        with self._lock:
            self._waiting = [entry for entry in self._waiting if entry[1] is not future]

    def _append(self, record: TopicRecord, now: dt.datetime) -> None:
        logs = self._logs[record.topic]
        key, size = _measured(record)
        if size > self._settings.max_record_bytes:
            raise RecordRefused(
                f"sending to topic {record.topic!r}: a record of {size} bytes is too large; "
                f"the broker takes {self._settings.max_record_bytes}"
            )
        partition = self._partition(key, len(logs))
        log = logs[partition]
        # A real broker keeps milliseconds; keeping more here would hide that.
        stored = attrs.evolve(record, headers=dict(record.headers), timestamp=_milliseconds(record.timestamp or now))
        origin = Origin(topic=record.topic, partition=partition, offset=len(log))
        log.append(ReceivedRecord(record=stored, origin=origin))

    def _partition(self, key: bytes | None, count: int) -> int:
        if key is None:
            self._unkeyed += 1
            return self._unkeyed % count
        # Not hash(): that differs from process to process.
        return zlib.crc32(key) % count

    def _read(self, member: Member, partition: Partition, limit: int) -> list[ReceivedRecord]:
        topic, number = partition
        position = member.positions[partition]
        found = self._logs[topic][number][position : position + limit]
        if found:
            member.read_from.setdefault(partition, position)
            member.positions[partition] = position + len(found)
        return found

    def _rebalance(self, group_name: str) -> None:
        group = self._groups[group_name]
        for topic in {topic for member in group.members for topic in member.topics}:
            subscribed = [member for member in group.members if topic in member.topics]
            for number in range(len(self._logs[topic])):
                owner = subscribed[number % len(subscribed)]
                for member in subscribed:
                    self._assign(group, member, (topic, number), owns=member is owner)
        self._wake()

    def _assign(self, group: _Group, member: Member, partition: Partition, *, owns: bool) -> None:
        if not owns:
            member.positions.pop(partition, None)
            member.read_from.pop(partition, None)
        elif partition not in member.positions:
            member.positions[partition] = group.commits.get(partition, 0)

    def _require(self, topic: str) -> None:
        if topic not in self._logs:
            if not self._settings.create_missing:
                raise NotFound("topic", topic, remedy=did_you_mean(topic, self._logs))
            self._create(topic, self._settings.partitions)

    def _create(self, topic: str, partitions: int) -> None:
        self._logs.setdefault(topic, [[] for _ in range(partitions)])

    def _check_up(self) -> None:
        if self._down is not None:
            raise Unavailable(f"the in-memory broker is down: {self._down}")

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            # A loop that was closed meanwhile has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _measured(record: TopicRecord) -> tuple[bytes | None, int]:
    """The bytes of the key, and how many bytes a broker would keep."""
    try:
        key = None if record.key is None else to_bytes(record.key)
        headers = sum(len(name.encode()) + len(to_bytes(value)) for name, value in record.headers.items())
    except UnicodeEncodeError as error:
        raise RecordRefused(f"sending to topic {record.topic!r}: key or headers are no text ({error})") from error
    return key, len(record.value) + len(key or b"") + headers


def _milliseconds(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
