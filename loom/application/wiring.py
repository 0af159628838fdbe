"""How declarations get what their constructors ask for, without ever seeing a container."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


class Resolver(Protocol):
    """Protocol of the container as application code's builders see it."""

    def knows(self, wanted: type) -> bool:
        """Whether ``resolve`` would succeed; asked at compile time."""

    def resolve(self, wanted: type[T]) -> T:
        """The object that is bound to a type.

        Raises:
            LookupError: nothing is bound to it.
        """


@runtime_checkable
class KnowsEntities(Protocol):
    """Protocol of a resolver that knows which entities its store is started with."""

    def stores(self, entity: type) -> bool:
        """Whether the store will know an entity; asked at compile time."""
