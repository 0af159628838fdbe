"""A shop small enough to be read at a glance: an entity, a use case, an event."""

from __future__ import annotations

from loom.core import Input, UseCase, command, entity, event, field, key


@entity(table="items")
class Item:
    id: int = key(autoincrement=True)
    name: str = field(max_length=20)


@command
class AddItem:
    name: str


@event(topic="items", key="id")
class ItemAdded:
    id: int


class Greeter:
    """A service of the application."""

    def greet(self, name: str) -> str:
        return f"hello {name}"


class Add(UseCase[Item, str]):
    def __init__(self, greeter: Greeter) -> None:
        self.greeter = greeter

    async def execute(self, cmd: AddItem = Input()) -> str:
        item = await self.main_repo.create(cmd)
        self.emit(ItemAdded(id=item.id))
        return self.greeter.greet(item.name)
