"""Jobs from dispatch to status: transactional dispatch, retries, limits, and never twice."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import attrs
import pytest

from loom.core import Context, InvalidInput, Unavailable
from loom.domain.errors import DeadlineExceeded, StepFailed
from loom.ports.jobs import JobMessage, JobState, JobStatus
from tests.unit.jobs.job_shop import Forever, Order, RunsInside, Shop, Unreadable, Write, WriteNote, open_shop

HELLO = WriteNote(text="hello")


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    opened = await open_shop()
    yield opened
    await opened.queue.stop()


def message(shop: Shop, job: str, *, payload: bytes = b'{"text":"hello"}', retries: int | None = None) -> JobMessage:
    plan = shop.plans[job]
    tries = plan.retries if retries is None else retries
    return JobMessage(id=uuid.uuid4(), job=job, payload=payload, retries=tries, timeout=plan.timeout)


async def test_a_job_is_queued_and_then_has_succeeded_with_its_result(shop: Shop) -> None:
    """Its id is known at once; its result is of its own type."""
    handle = await shop.jobs.dispatch(Write, HELLO)
    assert (await handle.status()).state is JobState.QUEUED
    await shop.settle()
    assert (await handle.status()).state is JobState.SUCCEEDED
    assert await handle.result(timeout=0) == 1
    assert [note.text for note in await shop.notes()] == ["hello"]


async def test_a_dispatch_inside_a_use_case_is_sent_if_and_only_if_it_commits(shop: Shop) -> None:
    """The record of the job is in the same transaction as everything else."""
    with pytest.raises(RuntimeError, match="changed my mind"):
        await shop.executor.invoke(Order, HELLO, params={"fail": True})
    await shop.settle()
    assert shop.journal.attempts == []
    handle = await shop.executor.invoke(Order, HELLO, params={"fail": False})
    assert shop.journal.attempts == []
    await shop.settle()
    assert shop.journal.attempts == ["hello"]
    assert await handle.result(timeout=0) == 1


async def test_the_correlation_travels_from_the_dispatch_into_the_job(shop: Shop) -> None:
    """The last log line of a job names the request that caused it."""
    await shop.executor.invoke(Order, HELLO, params={"fail": False}, context=Context(correlation_id="request-7"))
    await shop.settle()
    assert [note.correlation for note in await shop.notes()] == ["request-7"]


async def test_a_command_of_the_wrong_class_is_refused_at_the_dispatch(shop: Shop) -> None:
    """Nothing is written for it."""
    with pytest.raises(InvalidInput, match="Write takes WriteNote, not str"):
        await shop.jobs.dispatch(Write, "hello")
    with pytest.raises(InvalidInput, match="Forever takes no command, not WriteNote"):
        await shop.jobs.dispatch(Forever, HELLO)
    assert (await shop.store.relay_store().counts())["pending"] == 0


async def test_a_failed_attempt_is_followed_by_another_and_leaves_nothing_behind(shop: Shop) -> None:
    """Each attempt has a transaction of its own; the pauses grow."""
    shop.journal.failures = [RuntimeError("first"), Unavailable("second")]
    before = shop.clock.now()
    handle = await shop.jobs.dispatch(Write, HELLO)
    await shop.settle()
    status = await handle.status()
    assert (status.state, status.attempts) == (JobState.SUCCEEDED, 3)
    assert len(await shop.notes()) == 1
    assert (shop.clock.now() - before).total_seconds() == 1 + 2


async def test_a_job_that_fails_in_every_attempt_says_why(shop: Shop) -> None:
    """After the last attempt it has failed for good, with the text of the last failure."""
    shop.journal.failures = [RuntimeError(f"attempt {n}") for n in (1, 2, 3)]
    handle = await shop.jobs.dispatch(Write, HELLO)
    await shop.settle()
    status = await handle.status()
    assert (status.state, status.attempts, status.error) == (JobState.FAILED, 3, "RuntimeError: attempt 3")
    with pytest.raises(StepFailed, match="failed after 3 attempts: RuntimeError: attempt 3"):
        await handle.result(timeout=0)
    assert await shop.notes() == []
    assert await shop.store.job_statuses().counts("Write") == {**dict.fromkeys(JobState, 0), JobState.FAILED: 1}


async def test_a_payload_that_does_not_fit_is_not_tried_again(shop: Shop) -> None:
    """The next attempt would read the same bytes."""
    status = await shop.worker(message(shop, "Write", payload=b'{"txt": "hello"}'))
    await shop.queue.drain()
    assert (status.state, status.attempts) == (JobState.FAILED, 1)
    assert "/txt" in (status.error or "")
    assert shop.journal.attempts == []


async def test_a_job_that_takes_too_long_is_stopped(shop: Shop) -> None:
    """The status says which limit it met."""
    handle = await shop.jobs.dispatch(Forever)
    await shop.settle()
    status = await handle.status()
    assert status.state is JobState.FAILED
    assert "Forever was stopped after 0.05 s" in (status.error or "")


async def test_a_finished_job_that_is_delivered_again_does_not_run_again(shop: Shop) -> None:
    """The broker did not hear the acknowledgement; the answer is the first one."""
    sent = message(shop, "Write")
    first = await shop.worker(sent)
    again = await shop.worker(sent)
    assert first == again
    assert shop.journal.attempts == ["hello"]


async def test_the_inbox_knows_what_the_status_does_not(shop: Shop) -> None:
    """A crash between the commit and the recording of the status: the message comes again, the job does not."""
    sent = message(shop, "Write")
    await shop.worker(sent)
    await shop.store.job_statuses().put(attrs.evolve(await _status(shop, sent), state=JobState.RUNNING, result=None))
    status = await shop.worker(sent)
    assert (status.state, status.result) == (JobState.SUCCEEDED, None)
    assert shop.journal.attempts == ["hello"]


async def test_a_message_of_an_attempt_that_was_rolled_back_runs_again(shop: Shop) -> None:
    """A claim that did not commit is no claim."""
    shop.journal.failures = [RuntimeError("crash")]
    sent = message(shop, "Write", retries=0)
    assert (await shop.worker(sent)).state is JobState.FAILED
    assert (await shop.worker(sent)).state is JobState.SUCCEEDED


async def test_at_most_once_does_not_run_again_after_a_crash(shop: Shop) -> None:
    """What was begun and is delivered again has failed: nobody knows how far it came."""
    sent = message(shop, "WriteOnce")
    shop.journal.failures = [RuntimeError("power cut")]
    assert (await shop.worker(sent)).state is JobState.FAILED
    await shop.store.job_statuses().put(attrs.evolve(await _status(shop, sent), state=JobState.RUNNING))
    status = await shop.worker(sent)
    assert status.state is JobState.FAILED
    assert "at_most_once" in (status.error or "")
    assert shop.journal.attempts == ["hello"]
    assert (await shop.worker(message(shop, "WriteOnce"))).state is JobState.SUCCEEDED


async def test_a_store_that_does_not_answer_costs_no_attempt(shop: Shop) -> None:
    """The runner raises, so that the queue delivers the message again as it was."""
    shop.store.faults.inject("begin", Unavailable("the store is away"))
    sent = message(shop, "Write", retries=0)
    with pytest.raises(Unavailable, match="the store is away"):
        await shop.worker(sent)
    assert (await shop.worker(sent)).state is JobState.SUCCEEDED


async def test_a_job_that_this_deployment_does_not_have_has_failed(shop: Shop) -> None:
    """Its status names it; the worker goes on."""
    status = await shop.worker(JobMessage(id=uuid.uuid4(), job="Gone", payload=b"{}"))
    assert (status.state, status.error) == (JobState.FAILED, "job 'Gone' does not exist")


async def test_a_result_that_cannot_be_written_does_not_fail_the_job(shop: Shop) -> None:
    """Its transaction has committed; only the result is missing."""
    handle = await shop.jobs.dispatch(Unreadable)
    await shop.settle()
    assert (await handle.status()).state is JobState.SUCCEEDED
    with pytest.raises(StepFailed, match="its result was not recorded"):
        await handle.result(timeout=0)


async def test_waiting_for_a_result_ends(shop: Shop) -> None:
    """The job goes on; only the wait is over."""
    handle = await shop.jobs.dispatch(Write, HELLO)
    with pytest.raises(DeadlineExceeded, match="is still queued after 1 s"):
        await handle.result(timeout=1)


async def test_running_inline_is_part_of_the_caller_or_a_transaction_of_its_own(shop: Shop) -> None:
    """No queue, no status, no further attempts."""
    assert await shop.jobs.run(Write, HELLO) == 1
    assert await shop.executor.invoke(RunsInside, HELLO) == 2
    shop.journal.failures = [RuntimeError("no")]
    with pytest.raises(RuntimeError):
        await shop.executor.invoke(RunsInside, HELLO)
    assert len(await shop.notes()) == 2
    assert sum((await shop.store.job_statuses().counts("Write")).values()) == 0


async def _status(shop: Shop, sent: JobMessage) -> JobStatus:
    found = await shop.store.job_statuses().get(sent.id)
    assert found is not None
    return found


@pytest.mark.parametrize("left", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
async def test_whatever_a_job_raises_is_its_own_failure(shop: Shop, left: BaseException) -> None:
    """``sys.exit()`` and a cancellation that nobody asked for too: under its retries, and the process lives on."""
    shop.journal.failures = [left] * 3
    lost = await shop.jobs.dispatch(Write, HELLO)
    await shop.settle()
    assert (await lost.status()).state is JobState.FAILED
    assert shop.journal.attempts == ["hello"] * 3
    other = await shop.jobs.dispatch(Write, HELLO)
    await shop.settle()
    assert (await other.status()).state is JobState.SUCCEEDED
    assert len(await shop.notes()) == 1
