"""One timer for many deadlines: each piece of work has its own end, and foreign cancellations stay what they are."""

from __future__ import annotations

import asyncio

import pytest

from loom.adapters.fastapi.deadlines import Deadlines
from loom.core import LoomError
from loom.domain.errors import DeadlineExceeded

FOREVER = 60.0


async def forever() -> None:
    await asyncio.Event().wait()


async def value(result: int) -> int:
    await asyncio.sleep(0)
    return result


async def test_work_that_ends_in_time_gives_its_result() -> None:
    deadlines = Deadlines(FOREVER)
    assert await asyncio.gather(*(deadlines.run(value(n), "x") for n in range(50))) == list(range(50))
    with pytest.raises(LoomError, match="its own"):
        await deadlines.run(fails(), "x")


async def fails() -> None:
    raise LoomError("its own")


async def test_work_that_does_not_is_cancelled_and_told() -> None:
    ended = []

    async def work() -> None:
        try:
            await forever()
        finally:
            ended.append(1)

    with pytest.raises(DeadlineExceeded, match=r"Work was stopped after 0\.05 s"):
        await Deadlines(0.05).run(work(), "Work")
    assert ended == [1]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_every_piece_of_work_has_its_own_end() -> None:
    deadlines = Deadlines(0.1)

    async def late() -> str:
        await asyncio.sleep(0.06)
        return await deadlines.run(asyncio.sleep(0.06, "in time"), "late")

    found = await asyncio.gather(
        deadlines.run(forever(), "first"), late(), deadlines.run(forever(), "second"), return_exceptions=True
    )
    assert [type(each) for each in found] == [DeadlineExceeded, str, DeadlineExceeded]


async def test_the_timer_is_set_again_after_a_pause() -> None:
    deadlines = Deadlines(0.05)
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            await deadlines.run(forever(), "x")


async def test_who_cancels_for_another_reason_is_not_told_of_a_deadline() -> None:
    task = asyncio.create_task(Deadlines(FOREVER).run(forever(), "x"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_inside_is_its_own() -> None:
    async def inner() -> None:
        async with asyncio.timeout(0.01):
            await forever()

    with pytest.raises(TimeoutError) as caught:
        await Deadlines(FOREVER).run(inner(), "x")
    assert not isinstance(caught.value, DeadlineExceeded)


def test_another_event_loop_has_a_timer_of_its_own() -> None:
    deadlines = Deadlines(0.05)
    assert asyncio.run(deadlines.run(value(1), "x")) == 1
    with pytest.raises(DeadlineExceeded):
        asyncio.run(deadlines.run(forever(), "x"))
