"""Protocol of codecs: objects to bytes and back, strictly."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Codec(Protocol):
    """Protocol of one encoding. Strict: no ``"1"`` for an int, no unknown keys, no naive datetimes."""

    @property
    def content_type(self) -> str:
        """The media type of the bytes."""

    def encode(self, value: object) -> bytes:
        """The bytes of a value: attrs objects, scalars, lists, mappings."""

    def decode(self, data: bytes, target: type[T]) -> T:
        """The value of the bytes.

        Raises:
            MalformedInput: the bytes are not of this encoding.
            InvalidInput: they are, but do not fit ``target``; all faults with their paths.
        """

    def structure(self, value: Any, target: type[T]) -> T:
        """A value of ``target`` from plain dictionaries, lists and scalars, as strictly as ``decode``."""

    def unstructure(self, value: object) -> Any:
        """Plain dictionaries, lists and scalars that any JSON writer takes."""
