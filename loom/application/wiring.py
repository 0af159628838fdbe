"""How declarations get what their constructors ask for, without ever seeing a container."""

from __future__ import annotations

from typing import Protocol, TypeVar

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
