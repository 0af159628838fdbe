"""The JSON codec. The converter is the law; the compiled paths are shortcuts that may refuse, but never differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from loom.adapters.json.depth import check_depth
from loom.adapters.json.reading import NotCompiled, compiled_reader
from loom.adapters.json.writing import Writing
from loom.application.conversion.converter import Converter, make_converter
from loom.application.conversion.faults import Faults
from loom.domain.errors import MalformedInput

T = TypeVar("T")

# What a compiled reader raises where the data may be at fault; the converter then says whether it is, and how.
_REFUSALS = (msgspec.MsgspecError, Faults, ValueError, TypeError, RecursionError)


class JsonCodec:
    """JSON (RFC 8259) of attrs classes, scalars, lists and mappings. Safe to share between tasks and threads.

    Fields keep the order of declaration, ``ABSENT`` fields are left out, decimals, dates, durations (ISO 8601) and
    base64 are text, instants end in ``Z``.

    Args:
        converter: the law; one of its own where none is given.
        compiled: take the shortcuts. The results are the same either way.
    """

    content_type = "application/json"

    def __init__(self, converter: Converter | None = None, *, compiled: bool = True) -> None:
        self._converter = converter or make_converter()
        self._compiled = compiled
        self._writing = Writing(self._converter)
        self._encoder = msgspec.json.Encoder(enc_hook=self._converter.unstructure)
        self._readers: dict[Any, Callable[[bytes], Any] | None] = {}

    def encode(self, value: object) -> bytes:
        """The JSON text of a value, without whitespace.

        Raises:
            ValueError: a value in it has no JSON form (a naive datetime, NaN); the text names the field.
            TypeError: an object in it is of a class that has no conversion.
        """
        if not self._compiled:
            return self._encoder.encode(self._converter.unstructure(value))
        try:
            prepared = self._writing.prepare(value)
        except ValueError:
            # The same fault again, but from the converter, which knows the field.
            prepared = self._converter.unstructure(value)
        return self._encoder.encode(prepared)

    def decode(self, data: bytes, target: type[T]) -> T:
        """The value of JSON text.

        Raises:
            MalformedInput: not JSON, or nested too deeply, or with a number that is out of range.
            InvalidInput: JSON that does not fit ``target``; all faults with their paths.
            TypeError: ``target`` is no type that has a conversion.
        """
        check_depth(data)
        read = self._reader(target)
        # JSON can spell NUL only like this, and msgspec would let it through.
        if read is not None and b"\\u0000" not in data:
            try:
                found: T = read(data)
            except _REFUSALS:
                pass
            else:
                return found
        return self._converter.structure(_plain(data), target)

    def structure(self, value: Any, target: type[T]) -> T:
        """See ``Converter.structure``."""
        return self._converter.structure(value, target)

    def unstructure(self, value: object) -> Any:
        """See ``Converter.unstructure``."""
        return self._converter.unstructure(value)

    def _reader(self, target: Any) -> Callable[[bytes], Any] | None:
        if not self._compiled:
            return None
        if target not in self._readers:
            try:
                self._readers[target] = compiled_reader(target, self._converter)
            except NotCompiled:
                self._readers[target] = None
        return self._readers[target]


def _plain(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"JSON cannot be read: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedInput(f"not JSON: {error}") from error
    except RecursionError as error:
        raise MalformedInput("JSON is nested too deeply") from error
