"""Two declarations with three faults."""

from __future__ import annotations

from loom.core import Exists, Input, UseCase, entity
from tests.unit.kernel.shop import AddItem, Item


@entity(table="keyless")
class Keyless:
    name: str


class Misnamed(UseCase[Item, None]):
    async def execute(
        self, cmd: AddItem = Input(), taken: bool = Exists(Item, from_command="nmae", against="nane")
    ) -> None:
        return None
