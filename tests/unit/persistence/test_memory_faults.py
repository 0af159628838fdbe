"""Failures are inputs: a test lets the memory store fail where a database would."""

import pytest

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.domain.errors import Unavailable
from loom.domain.model import entity, key
from loom.testing.clock import FakeClock


@entity(table="faulty")
class Row:
    id: int = key()


async def opened() -> MemoryPersistence:
    persistence = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
    await persistence.start([Row])
    return persistence


async def write(persistence: MemoryPersistence, number: int) -> None:
    async with persistence.begin() as unit:
        await unit.repository(Row).create({"id": number})
        await unit.commit()


async def numbers(persistence: MemoryPersistence) -> int:
    async with persistence.begin(read_only=True) as unit:
        return await unit.repository(Row).count()


@pytest.mark.parametrize(("point", "kept"), [("begin", 0), ("commit", 0), ("committed", 1)])
async def test_a_unit_fails_once_at_the_point(point: str, kept: int) -> None:
    """Before the commit nothing is kept; after it everything is, although the caller sees an error."""
    persistence = await opened()
    persistence.faults.inject(point, Unavailable("the network went away"))
    with pytest.raises(Unavailable, match="the network went away"):
        await write(persistence, 1)
    assert await numbers(persistence) == kept
    await write(persistence, 2)
    assert await numbers(persistence) == kept + 1


async def test_a_fault_can_last_for_several_calls() -> None:
    persistence = await opened()
    persistence.faults.inject("claim", Unavailable("down"), times=2)
    relay = persistence.relay_store()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await relay.claim(1, now=FakeClock().now(), lease=FakeClock().now() - FakeClock().now())
    assert await relay.claim(1, now=FakeClock().now(), lease=FakeClock().now() - FakeClock().now()) == ()


async def test_an_unknown_point_is_named() -> None:
    persistence = await opened()
    with pytest.raises(ValueError, match="there is no point 'comit'; there are begin, commit"):
        persistence.faults.inject("comit", Unavailable("x"))


async def test_a_second_start_keeps_the_rows() -> None:
    persistence = await opened()
    await write(persistence, 1)
    await persistence.stop()
    await persistence.start([Row])
    assert await numbers(persistence) == 1
