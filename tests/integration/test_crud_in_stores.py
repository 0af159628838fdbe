"""Random sequences of CRUD have the same answers from a plain dictionary, the memory store, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.domain.errors import InvalidInput, LoomError
from loom.domain.query import Query
from loom.ports.persistence import Persistence
from loom.testing.clock import FakeClock
from tests.integration.crud_model import DictStore, Handles, Item, Owner, Unit
from tests.integration.crud_sequences import units
from tests.servers.postgres import new_database


@attrs.define
class Store:
    """A started store, driven from a test that is not itself asynchronous, as Hypothesis wants it."""

    persistence: Persistence
    runner: asyncio.Runner

    def answers(self, sequence: list[Unit]) -> list[object]:
        """What the store says to each step of each unit; it is empty at first."""
        return self.runner.run(self._answers(sequence))

    async def _answers(self, sequence: list[Unit]) -> list[object]:
        await self._clear()
        handles = Handles()
        return [answer for unit in sequence for answer in await self._run(unit, handles)]

    async def _run(self, sequence: Unit, handles: Handles) -> list[object]:
        answers: list[object] = []
        tentative = handles.copy()
        async with self.persistence.begin(read_only=sequence.read_only) as unit:
            for step in sequence.steps:
                try:
                    answers.append(await step.run(unit, tentative))
                except LoomError as error:
                    answers.append(refusal(error))
            try:
                if sequence.commits:
                    await unit.commit()
                    handles.take(tentative)
                    answers.append("committed")
            except LoomError as error:
                answers.append(refusal(error))
        return answers

    async def _clear(self) -> None:
        async with self.persistence.begin() as unit:
            for model in (Item, Owner):
                repository: Any = unit.repository(model)
                for row in [row async for row in repository.stream(Query(limit=None))]:
                    await repository.delete(row.id if model is Item else row.code)
            await unit.commit()


def refusal(error: LoomError) -> object:
    """What of an error is the same in all stores: its code, and the fields that it names."""
    faults = [fault.path for fault in error.errors] if isinstance(error, InvalidInput) else []
    return (error.code, tuple(getattr(error, "fields", ())), faults)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    folder: Path = tmp_path_factory.mktemp("crud")
    with asyncio.Runner() as runner:
        memory = MemoryPersistence(codec=JsonCodec(), clock=FakeClock())
        stores = [Store(each, runner) for each in (memory, database(f"sqlite+aiosqlite:///{folder / 'store.db'}"))]
        yield from started(stores)


@pytest.fixture(scope="module")
def postgres(postgres_url: str) -> Iterator[list[Store]]:
    with new_database(postgres_url) as url, asyncio.Runner() as runner:
        yield from started([Store(database(url), runner)])


def database(url: str) -> Persistence:
    return provide(SqlalchemySettings(url=url), codec=JsonCodec(), clock=FakeClock())


def started(stores: list[Store]) -> Iterator[list[Store]]:
    for store in stores:
        store.runner.run(store.persistence.start([Item, Owner]))
    yield stores
    for store in stores:
        store.runner.run(store.persistence.stop())


# Shared by all examples of a test, which is right here: every example begins by emptying it.
SHARED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(SHARED, max_examples=200)
@given(sequence=units())
def test_embedded_stores_answer_as_a_dictionary_does(embedded: list[Store], sequence: list[Unit]) -> None:
    for store in embedded:
        compare(store, sequence)


@pytest.mark.postgres
@settings(SHARED, max_examples=60)
@given(sequence=units())
def test_postgres_answers_as_a_dictionary_does(postgres: list[Store], sequence: list[Unit]) -> None:
    compare(postgres[0], sequence)


def compare(store: Store, sequence: list[Unit]) -> None:
    expected, found = DictStore().answers(sequence, refusal), store.answers(sequence)
    for number, (wanted, answer) in enumerate(zip(expected, found, strict=True)):
        assert answer == wanted, f"answer {number} of {type(store.persistence).__name__} to {sequence}"
