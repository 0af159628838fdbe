"""Use cases over a model whose class and whose declaration stand in other modules than theirs."""

from loom.core import Repository, UseCase
from tests.unit.kernel.shop import Item


class CountItems(UseCase[None, int]):
    read_only = True

    def __init__(self, items: Repository[Item]) -> None:
        self.items = items

    async def execute(self) -> int:
        return await self.items.count()
