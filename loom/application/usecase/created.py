"""``Created``: the result of a use case that makes something new."""

from __future__ import annotations

from typing import Generic, TypeVar

import attrs

from loom.domain.frozen import frozen

T_co = TypeVar("T_co", covariant=True)


@frozen
class Created(Generic[T_co]):
    """What was made: ``async def execute(...) -> Created[Product]`` ends with ``return Created(product)``.

    ``invoke`` returns it as it is. HTTP answers 201 with ``value`` as the body and, in ``Location``, the path of the
    row where the interface serves one.

    Attributes:
        value: what was made.
        location: where it is found, instead of the path that the interface would give.
    """

    value: T_co
    location: str = attrs.field(default="", kw_only=True)
