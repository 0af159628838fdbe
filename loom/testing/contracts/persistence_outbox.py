"""What every outbox, relay store, inbox and job status store must do."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence

import attrs
import pytest

from loom.domain.errors import Conflict
from loom.domain.events import OutboxKind, OutboxRecord
from loom.ports.jobs import JobState, JobStatus
from loom.ports.persistence import Persistence
from loom.testing.clock import START, FakeClock
from loom.testing.contracts.persistence_models import Airline, PersistenceSuite
from loom.testing.contracts.persistence_repository import read

LEASE = dt.timedelta(seconds=60)


@pytest.mark.asyncio
class OutboxContract(PersistenceSuite):
    """The contract of ``Outbox``, ``RelayStore`` and ``Inbox``."""

    async def test_records_wait_for_the_commit(self, persistence: Persistence) -> None:
        """Not visible before, and gone after a rollback."""
        relay = persistence.relay_store()
        async with persistence.begin() as unit:
            await unit.outbox.add([record("a")])
            assert await relay.claim(10, now=START, lease=LEASE) == ()
        assert await relay.counts() == {"pending": 0, "sent": 0}
        assert await relay.pending() == 0
        await store(persistence, [record("a")])
        assert await relay.counts() == {"pending": 1, "sent": 0}

    async def test_a_record_comes_back_as_it_was_written(self, persistence: Persistence) -> None:
        written = OutboxRecord(
            id=uuid.uuid4(),
            kind=OutboxKind.JOB,
            destination="NotifyOperations",
            type="Notify",
            key="JFK/ü",
            payload=bytes(range(256)),
            headers={"x-correlation-id": "abc", "x-empty": ""},
            created_at=START + dt.timedelta(microseconds=1),
        )
        await store(persistence, [written])
        (found,) = await persistence.relay_store().claim(10, now=START, lease=LEASE)
        assert found.position > 0
        assert attrs.evolve(found, position=0) == written

    async def test_records_are_claimed_in_order_and_up_to_the_limit(self, persistence: Persistence) -> None:
        await store(persistence, [record(str(number)) for number in range(5)])
        await store(persistence, [record(str(number)) for number in range(5, 8)])
        relay = persistence.relay_store()
        first = await relay.claim(6, now=START, lease=LEASE)
        second = await relay.claim(6, now=START, lease=LEASE)
        assert [each.key for each in (*first, *second)] == [str(number) for number in range(8)]
        positions = [each.position for each in (*first, *second)]
        assert positions == sorted(set(positions))

    async def test_a_claim_hides_records_until_the_lease_ends(self, persistence: Persistence) -> None:
        await store(persistence, [record("a"), record("b")])
        relay = persistence.relay_store()
        claimed = await relay.claim(10, now=START, lease=LEASE)
        assert await relay.claim(10, now=START + LEASE / 2, lease=LEASE) == ()
        assert await relay.claim(10, now=START + LEASE, lease=LEASE) == claimed

    async def test_sent_records_never_come_again(self, persistence: Persistence) -> None:
        await store(persistence, [record("a"), record("b")])
        relay = persistence.relay_store()
        first, second = await relay.claim(10, now=START, lease=LEASE)
        await relay.sent([first.id], now=START)
        await relay.sent([first.id], now=START)
        assert await relay.counts() == {"pending": 1, "sent": 1}
        assert await relay.pending() == 1
        assert await relay.claim(10, now=START + 2 * LEASE, lease=LEASE) == (second,)

    async def test_a_failed_record_waits_and_counts(self, persistence: Persistence) -> None:
        await store(persistence, [record("a")])
        relay = persistence.relay_store()
        (claimed,) = await relay.claim(10, now=START, lease=LEASE)
        later = START + 3 * LEASE
        await relay.failed([claimed.id], reason="no broker", retry_at=later)
        assert await relay.claim(10, now=START + 2 * LEASE, lease=LEASE) == ()
        assert await relay.claim(10, now=later, lease=LEASE) == (attrs.evolve(claimed, attempts=1),)
        assert await relay.counts() == {"pending": 1, "sent": 0}

    async def test_a_hidden_record_holds_back_later_ones_of_its_key_only(self, persistence: Persistence) -> None:
        records = [record("a"), record("b"), record("a"), record(""), record("b"), record("")]
        await store(persistence, records)
        relay = persistence.relay_store()
        (first,) = await relay.claim(1, now=START, lease=LEASE)
        rest = await relay.claim(10, now=START, lease=LEASE)
        assert first.id == records[0].id
        assert [each.id for each in rest] == [records[position].id for position in (1, 3, 4, 5)]
        await relay.sent([first.id], now=START)
        assert [each.id for each in await relay.claim(10, now=START, lease=LEASE)] == [records[2].id]

    async def test_a_hidden_record_without_key_holds_back_nothing(self, persistence: Persistence) -> None:
        await store(persistence, [record(""), record("")])
        relay = persistence.relay_store()
        assert len(await relay.claim(1, now=START, lease=LEASE)) == 1
        assert len(await relay.claim(1, now=START, lease=LEASE)) == 1

    async def test_relays_share_the_work_and_keep_order_per_key(self, persistence: Persistence) -> None:
        """Eight relays at once: every record leaves once, and those of one key leave in order."""
        await store(persistence, [record(str(number % 7)) for number in range(70)])
        left: list[OutboxRecord] = []

        async def relay() -> None:
            mine = persistence.relay_store()
            while claimed := await mine.claim(3, now=START, lease=LEASE):
                left.extend(claimed)
                await asyncio.sleep(0)
                await mine.sent([each.id for each in claimed], now=START)

        while (await persistence.relay_store().counts())["pending"]:
            await asyncio.gather(*(relay() for _ in range(8)))
        assert len(left) == len({each.id for each in left}) == 70
        for key in {each.key for each in left}:
            positions = [each.position for each in left if each.key == key]
            assert positions == sorted(positions)

    async def test_a_message_is_handled_once_by_each_consumer(self, persistence: Persistence) -> None:
        message = uuid.uuid4()
        for consumer, expected in (("billing", True), ("billing", False), ("stock", True)):
            async with persistence.begin() as unit:
                assert await unit.inbox.claim(consumer, message) is expected
                assert await unit.inbox.claim(consumer, message) is False
                await unit.commit()

    async def test_a_rollback_forgets_that_a_message_was_handled(self, persistence: Persistence) -> None:
        message = uuid.uuid4()
        for _ in range(2):
            async with persistence.begin() as unit:
                assert await unit.inbox.claim("billing", message) is True

    async def test_of_two_deliveries_at_once_one_is_kept(self, persistence: Persistence) -> None:
        """Both may begin; the rows of one are kept."""
        message = uuid.uuid4()

        async def handle(number: int) -> bool:
            try:
                async with persistence.begin() as unit:
                    if not await unit.inbox.claim("billing", message):
                        return False
                    await asyncio.sleep(0)
                    await unit.repository(Airline).create(Airline(code=str(number), name=str(number)))
                    await unit.commit()
            except Conflict:
                return False
            return True

        assert sum(await asyncio.gather(*(handle(number) for number in range(4)))) == 1
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Airline).count() == 1


@pytest.mark.asyncio
class JobStatusContract(PersistenceSuite):
    """The contract of ``JobStatusStore`` as a store has it."""

    async def test_the_last_state_comes_back(self, persistence: Persistence, clock: FakeClock) -> None:
        statuses = persistence.job_statuses()
        job = uuid.uuid4()
        assert await statuses.get(job) is None
        await statuses.put(JobStatus(id=job, job="Notify", state=JobState.QUEUED))
        assert await statuses.get(job) == JobStatus(id=job, job="Notify", state=JobState.QUEUED, updated_at=START)
        done = JobStatus(
            id=job,
            job="Notify",
            state=JobState.SUCCEEDED,
            attempts=2,
            result=b"\x00\xff",
            updated_at=clock.advance(1.000001),
        )
        await statuses.put(done)
        assert await statuses.get(job) == done

    async def test_an_older_state_that_comes_late_is_ignored(self, persistence: Persistence) -> None:
        """States are written by several processes; the newest wins, not the last to arrive."""
        statuses = persistence.job_statuses()
        done = JobStatus(id=uuid.uuid4(), job="Notify", state=JobState.FAILED, error="no route", updated_at=START)
        await statuses.put(done)
        late = attrs.evolve(done, state=JobState.RUNNING, error=None, updated_at=START - dt.timedelta(microseconds=1))
        await statuses.put(late)
        assert await statuses.get(done.id) == done

    async def test_states_are_counted_by_job(self, persistence: Persistence) -> None:
        statuses = persistence.job_statuses()
        for state, count in {JobState.QUEUED: 3, JobState.SUCCEEDED: 2}.items():
            for _ in range(count):
                await statuses.put(JobStatus(id=uuid.uuid4(), job="Notify", state=state))
        await statuses.put(JobStatus(id=uuid.uuid4(), job="Other", state=JobState.FAILED))
        expected = {JobState.QUEUED: 3, JobState.RUNNING: 0, JobState.SUCCEEDED: 2, JobState.FAILED: 0}
        assert await statuses.counts("Notify") == expected
        assert sum((await statuses.counts("Nobody")).values()) == 0

    async def test_a_state_is_kept_although_the_work_rolled_back(self, persistence: Persistence) -> None:
        failed = JobStatus(id=uuid.uuid4(), job="Notify", state=JobState.FAILED, error="boom", updated_at=START)
        async with persistence.begin() as unit:
            await unit.repository(Airline).create(Airline(code="UA", name="United"))
        await persistence.job_statuses().put(failed)
        assert await read(persistence, Airline, "UA") is None
        assert await persistence.job_statuses().get(failed.id) == failed


def record(key: str) -> OutboxRecord:
    """A record of that key."""
    return OutboxRecord(
        id=uuid.uuid4(),
        kind=OutboxKind.EVENT,
        destination="orders",
        type="Order",
        key=key,
        payload=b"{}",
        headers={},
        created_at=START,
    )


async def store(persistence: Persistence, records: Sequence[OutboxRecord]) -> None:
    """Write records in a unit of work of their own."""
    async with persistence.begin() as unit:
        await unit.outbox.add(records)
        await unit.commit()
