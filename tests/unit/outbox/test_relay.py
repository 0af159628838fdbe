"""The relay: at least once, in order per key, and one bad record holds back only its key."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence

import attrs
import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.memory.settings_topics import MemoryTopicsSettings
from loom.adapters.memory.topics import MemoryTopics
from loom.application.outbox.relay import Relay, RelaySettings
from loom.application.outbox.senders import EventSender, JobSender
from loom.core import LoomError, Unavailable
from loom.domain.events import ID_HEADER, TYPE_HEADER, OutboxKind, OutboxRecord
from loom.ports.jobs import JobMessage, JobRunner
from loom.testing.clock import FakeClock


@attrs.define(eq=False)
class Receiver:
    """A sender that keeps what arrives and refuses what the test says."""

    refused: dict[str, LoomError] = attrs.field(factory=dict)
    down: LoomError | None = None
    arrived: list[str] = attrs.field(factory=list)
    calls: int = 0
    got_something: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def send(self, records: Sequence[OutboxRecord]) -> None:
        self.calls += 1
        if self.down is not None:
            raise self.down
        for record in records:
            if record.type in self.refused:
                raise self.refused[record.type]
        self.arrived += [record.type for record in records]
        self.got_something.set()

    async def close(self) -> None:
        pass


def record(name: str, *, key: str = "", kind: OutboxKind = OutboxKind.EVENT) -> OutboxRecord:
    return OutboxRecord(
        id=uuid.uuid4(),
        kind=kind,
        destination="things",
        type=name,
        key=key,
        payload=b"{}",
        headers={"x-correlation-id": "c"},
        created_at=FakeClock().now(),
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(clock: FakeClock) -> MemoryPersistence:
    persistence = MemoryPersistence(codec=JsonCodec(), clock=clock)
    await persistence.start([])
    return persistence


async def put(store: MemoryPersistence, *records: OutboxRecord) -> None:
    async with store.begin() as unit:
        await unit.outbox.add(records)
        await unit.commit()


def relay_to(store: MemoryPersistence, clock: FakeClock, receiver: Receiver) -> Relay:
    return Relay(store.relay_store(), {OutboxKind.EVENT: receiver}, clock, RelaySettings(backoff=1.0))


async def test_records_arrive_in_order_and_once(store: MemoryPersistence, clock: FakeClock) -> None:
    receiver = Receiver()
    relay = relay_to(store, clock, receiver)
    await put(store, record("a"), record("b"), record("c"))
    assert await relay.run_until_empty() == 3
    assert await relay.run_until_empty() == 0
    assert receiver.arrived == ["a", "b", "c"]
    assert await store.relay_store().counts() == {"pending": 0, "sent": 3}


async def test_a_bad_record_holds_back_its_key_and_no_other(store: MemoryPersistence, clock: FakeClock) -> None:
    receiver = Receiver(refused={"bad": LoomError("too large")})
    relay = relay_to(store, clock, receiver)
    await put(store, record("bad", key="x"), record("after-bad", key="x"), record("other", key="y"), record("free"))
    await relay.run_until_empty()
    assert receiver.arrived == ["other", "free"]
    receiver.refused.clear()
    clock.advance(10)
    await relay.run_until_empty()
    assert receiver.arrived == ["other", "free", "bad", "after-bad"]


async def test_a_receiver_that_is_down_is_not_asked_for_each_record(store: MemoryPersistence, clock: FakeClock) -> None:
    receiver = Receiver(down=Unavailable("the broker does not answer"))
    relay = relay_to(store, clock, receiver)
    await put(store, *(record(str(number)) for number in range(20)))
    assert await relay.run_until_empty() == 0
    assert receiver.calls == 1
    receiver.down = None
    clock.advance(10)
    assert await relay.run_until_empty() == 20


async def test_a_crash_between_sending_and_marking_sends_again(store: MemoryPersistence, clock: FakeClock) -> None:
    receiver = Receiver()
    relay = relay_to(store, clock, receiver)
    await put(store, record("a"))
    store.faults.inject("sent", Unavailable("the store is gone"))
    with pytest.raises(Unavailable):
        await relay.run_once()
    clock.advance(61)  # the lease of the claim ends
    await relay.run_until_empty()
    assert receiver.arrived == ["a", "a"]


async def test_the_running_relay_sends_what_a_commit_left(store: MemoryPersistence, clock: FakeClock) -> None:
    receiver = Receiver()
    relay = relay_to(store, clock, receiver)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    await put(store, record("a"))
    relay.wake()
    async with asyncio.timeout(10):
        await receiver.got_something.wait()
    stop.set()
    await running
    assert receiver.arrived == ["a"]


async def test_a_fault_of_the_store_does_not_end_the_relay(
    store: MemoryPersistence, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver()
    relay = relay_to(store, clock, receiver)
    store.faults.inject("claim", RuntimeError("a bug of an adapter"))
    stop = asyncio.Event()
    await put(store, record("a"))
    running = asyncio.create_task(relay.run(stop))
    async with asyncio.timeout(10):
        while not receiver.arrived:
            relay.wake()
            await asyncio.sleep(0)
    stop.set()
    await running
    assert "a bug of an adapter" in caplog.text


async def test_events_reach_their_topic_with_id_type_and_correlation(
    store: MemoryPersistence, clock: FakeClock
) -> None:
    topics = MemoryTopics(MemoryTopicsSettings(), clock=clock)
    sender = EventSender(topics, partitions=2)
    sent = record("ThingHappened", key="k")
    await sender.send([sent])
    consumer = topics.consumer(["things"], group="g")
    [received] = await consumer.poll(limit=10, timeout=1)
    assert received.record.key == "k"
    assert received.record.headers == {"x-correlation-id": "c", ID_HEADER: str(sent.id), TYPE_HEADER: "ThingHappened"}
    assert received.record.timestamp == dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)
    await sender.close()


class Queue:
    """A job queue that only keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[JobMessage] = []

    def redelivers_after(self) -> float | None:
        return None

    async def enqueue(self, message: JobMessage) -> None:
        self.taken.append(message)

    async def start(self, runner: JobRunner) -> None:
        raise NotImplementedError

    async def drain(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError


async def test_jobs_are_completed_by_their_plan_and_enqueued() -> None:
    queue = Queue()
    sender = JobSender(
        queue, lambda found: JobMessage(id=found.id, job=found.destination, payload=found.payload, queue="slow")
    )
    sent = record("Notify", kind=OutboxKind.JOB)
    await sender.send([sent])
    assert queue.taken == [JobMessage(id=sent.id, job="things", payload=b"{}", queue="slow")]
