"""What was made lately, by what it was made for: for things that follow from input, of which there is no end."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps up to ``most`` entries, and among them the half of that number which were used last.

    There are two generations. Once the young one is full it becomes the old one, which is dropped then. An entry is
    found with one look-up, and threads may share it: at worst something is made twice.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._young: dict[Hashable, T] = {}
        self._old: dict[Hashable, T] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Hashable) -> T | None:
        """What is kept under a key, which counts as used now; ``None`` where nothing is."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: Hashable, value: T) -> T:
        """Keep a value that is not ``None``, and give it back."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value
        return value
