"""A model that may be cached, and use cases that read and write it."""

from __future__ import annotations

from loom.adapters.memory.persistence import MemoryUnitOfWork
from loom.core import DelegatingRepository, LoadById, UseCase, entity, key, repository_for
from loom.ports.persistence import Repository, UnitOfWork


@entity(table="kernel_lamps", cache=30)
class Lamp:
    id: int = key(autoincrement=True)
    name: str


@repository_for(Lamp)
class Lamps(DelegatingRepository[Lamp]):
    def __init__(self, rows: Repository[Lamp], unit: UnitOfWork) -> None:
        super().__init__(rows)
        self.unit = unit


@entity(table="kernel_tied")
class Tied:
    id: int = key(autoincrement=True)


@repository_for(Tied)
class TiedRows(DelegatingRepository[Tied]):
    """Is made for the store in memory alone."""

    def __init__(self, rows: Repository[Tied], unit: MemoryUnitOfWork) -> None:
        super().__init__(rows)
        self.unit = unit


class AddLamp(UseCase[Lamp, Lamp]):
    async def execute(self, name: str) -> Lamp:
        return await self.main_repo.create({"name": name})


class RenameLamp(UseCase[Lamp, None]):
    async def execute(self, name: str, lamp: Lamp = LoadById(Lamp)) -> None:
        await self.main_repo.update(lamp.id, {"name": name})


class GetLamp(UseCase[Lamp, Lamp]):
    read_only = True

    async def execute(self, lamp: Lamp = LoadById(Lamp)) -> Lamp:
        return lamp
