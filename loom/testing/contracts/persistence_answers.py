"""What every store must do with the answers to idempotency keys: kept with the change, or not at all."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from loom.domain.errors import Conflict, Overtaken, ScopeClosed
from loom.domain.idempotency import KeptAnswer
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from loom.testing.contracts.persistence_models import Airline, PersistenceSuite

DAY = dt.timedelta(days=1)
ANSWER = KeptAnswer(fingerprint="f" * 64, status=201, headers={"location": "/airlines/UA"}, body=bytes(range(256)))


@pytest.mark.asyncio
class AnswersContract(PersistenceSuite):
    """The contract of ``Answers``."""

    async def test_an_answer_comes_back_to_whoever_takes_its_key_again(self, persistence: Persistence) -> None:
        await answer(persistence, "one")
        async with persistence.begin() as unit:
            assert await unit.answers.claim("one", "g" * 64, DAY) == ANSWER
            assert await unit.answers.claim("two", "g" * 64, DAY) is None

    async def test_a_rollback_gives_the_key_back(self, persistence: Persistence) -> None:
        for _ in range(2):
            async with persistence.begin() as unit:
                assert await unit.answers.claim("one", ANSWER.fingerprint, DAY) is None
                await unit.answers.keep("one", ANSWER)

    async def test_after_its_lifetime_a_key_is_free(self, persistence: Persistence, clock: FakeClock) -> None:
        await answer(persistence, "one")
        clock.advance(DAY.total_seconds() - 1)
        async with persistence.begin() as unit:
            assert await unit.answers.claim("one", ANSWER.fingerprint, DAY) == ANSWER
        clock.advance(1)
        second = KeptAnswer(fingerprint="2", status=200)
        async with persistence.begin() as unit:
            assert await unit.answers.claim("one", "2", DAY) is None
            await unit.answers.keep("one", second)
            await unit.commit()
        async with persistence.begin() as unit:
            assert await unit.answers.claim("one", "2", DAY) == second

    async def test_answers_whose_lifetime_is_over_are_forgotten_a_few_at_a_time(
        self, persistence: Persistence, clock: FakeClock
    ) -> None:
        for number in range(5):
            await answer(persistence, f"old-{number}")
        clock.advance(DAY.total_seconds())
        await answer(persistence, "new")
        counts = []
        for _ in range(3):
            async with persistence.begin() as unit:
                counts.append(await unit.answers.expire(3))
                await unit.commit()
        assert counts == [3, 2, 0]
        async with persistence.begin() as unit:
            assert await unit.answers.claim("new", ANSWER.fingerprint, DAY) == ANSWER

    async def test_of_units_that_take_one_key_at_once_one_keeps_it(self, persistence: Persistence) -> None:
        """The others are overtaken, or see the answer: never is the work done twice."""

        async def work(number: int) -> str:
            try:
                async with persistence.begin() as unit:
                    if await unit.answers.claim("one", ANSWER.fingerprint, DAY) is not None:
                        return "replayed"
                    await asyncio.sleep(0)
                    await unit.repository(Airline).create(Airline(code=str(number), name=str(number)))
                    await unit.answers.keep("one", ANSWER)
                    await unit.commit()
            except Overtaken:
                return "overtaken"
            return "done"

        outcomes = await asyncio.gather(*(work(number) for number in range(4)))
        assert outcomes.count("done") == 1
        async with persistence.begin(read_only=True) as unit:
            assert await unit.repository(Airline).count() == 1

    async def test_a_failed_change_keeps_no_answer(self, persistence: Persistence) -> None:
        async with persistence.begin() as unit:
            await unit.repository(Airline).create(Airline(code="UA", name="United"))
            await unit.commit()
        async with persistence.begin() as unit:
            await unit.answers.claim("one", ANSWER.fingerprint, DAY)
            with pytest.raises(Conflict):
                await unit.repository(Airline).create(Airline(code="UA", name="United"))
        async with persistence.begin() as unit:
            assert await unit.answers.claim("one", ANSWER.fingerprint, DAY) is None

    async def test_a_read_only_unit_takes_no_key(self, persistence: Persistence) -> None:
        async with persistence.begin(read_only=True) as unit:
            with pytest.raises(ScopeClosed, match="read-only"):
                await unit.answers.claim("one", ANSWER.fingerprint, DAY)


async def answer(persistence: Persistence, key: str) -> None:
    """Keep the answer under a key, in a unit of work of its own."""
    async with persistence.begin() as unit:
        assert await unit.answers.claim(key, ANSWER.fingerprint, DAY) is None
        await unit.answers.keep(key, ANSWER)
        await unit.commit()
