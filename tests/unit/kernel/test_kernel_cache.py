"""The section ``cache``: nothing without it, and a cache before whatever store there is with it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loom.adapters.memory.cache import MemoryCache
from loom.adapters.memory.persistence import MemoryPersistence, MemoryUnitOfWork
from loom.adapters.none.cache import NoCache
from loom.application.caching.persistence import CachedPersistence
from loom.application.compile import Issues
from loom.application.models import compile_model
from loom.application.repositories import own_repository
from loom.core import Kernel, entity, key
from loom.domain.errors import ConfigError
from loom.ports.cache import Cache
from loom.ports.persistence import Persistence
from tests.unit.kernel import cached
from tests.unit.kernel.cached import AddLamp, GetLamp, Lamp, RenameLamp, Tied


def kernel(*overrides: str) -> Kernel:
    return Kernel.from_yaml(overrides=overrides, modules=[cached])


def port(found: Kernel, wanted: Any) -> Any:
    return found.resolve(wanted)


def test_without_the_section_the_store_stands_alone() -> None:
    assert type(port(kernel(), Persistence)) is MemoryPersistence
    assert type(port(kernel(), Cache)) is NoCache


async def test_with_the_section_rows_come_from_the_cache_until_they_change() -> None:
    async with kernel("cache.adapter=memory", "cache.max_entries=5") as running:
        store, cache = port(running, Persistence), port(running, Cache)
        assert isinstance(store, CachedPersistence)
        assert store.cache is cache
        assert isinstance(cache, MemoryCache)
        made = await running.invoke(AddLamp, params={"name": "red"})
        for _ in range(2):
            assert await running.invoke(GetLamp, params={"id": made.id}) == made
        assert len(cache) == 1
        await running.invoke(RenameLamp, params={"id": made.id, "name": "blue"})
        assert (await running.invoke(GetLamp, params={"id": made.id})).name == "blue"


async def test_a_repository_made_for_one_store_is_given_the_unit_of_that_store() -> None:
    async with kernel("cache.adapter=memory") as running, port(running, Persistence).begin() as unit:
        lamps: Any = own_repository(Lamp, unit.repository(Lamp), unit)
        assert lamps.unit is unit
        tied: Any = own_repository(Tied, unit.repository(Tied), unit)
        assert isinstance(tied.unit, MemoryUnitOfWork)


def test_a_key_that_the_cache_does_not_have_is_told() -> None:
    with pytest.raises(ConfigError, match="max_entries"):
        kernel("cache.adapter=memory", "cache.max_entris=5")
    with pytest.raises(ConfigError, match=r"cache\.url"):
        kernel("cache.adapter=redis", "cache.url=localhost")


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan, True, "60"])
def test_a_time_that_is_none_is_an_issue(seconds: Any) -> None:
    @entity(table="kernel_odd", cache=seconds)
    class Odd:
        id: int = key(autoincrement=True)

    issues = Issues()
    assert compile_model(Odd, issues) is None
    assert [issue.code for issue in issues.found] == ["LOOM-CORE-027"]
