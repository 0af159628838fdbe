"""What a model says about its relations: references to other entities, values computed over them, and profiles.

None of these is stored with the row. They are read only where a profile asks for them; until then the attribute holds
``NOT_LOADED``, which is neither ``None`` nor empty and is left out of JSON. So ``null``, ``false`` and ``[]`` always
mean what they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, Self, TypeAlias

import attrs

from loom.domain.errors import LoomError
from loom.domain.expr import Expr
from loom.domain.frozen import frozen

OnDelete: TypeAlias = Literal["restrict", "cascade", "set_null"]
"""What deleting a row does to the rows that refer to it: refuse, delete them too, or set their reference to null."""

ON_DELETE: Final = ("restrict", "cascade", "set_null")
AGGREGATES: Final = ("count", "exists", "first", "sum", "min", "max")
"""The kinds of projections."""


class NotLoadedError(LoomError, AttributeError):
    """A relation or projection was used that no profile had loaded."""

    code = "LOOM-NOT-LOADED"


class NotLoaded:
    """Type of the single value ``NOT_LOADED``. It has no truth value, no items and no attributes."""

    __slots__ = ()

    def __new__(cls) -> Self:
        # Not an enum member: that would answer to ``name`` and ``value``, as a related row does.
        return NOT_LOADED if "NOT_LOADED" in globals() else super().__new__(cls)

    def __repr__(self) -> str:
        return "NOT_LOADED"

    def __reduce__(self) -> str:
        return "NOT_LOADED"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __bool__(self) -> bool:
        raise _refusal()

    def __len__(self) -> int:
        raise _refusal()

    def __iter__(self) -> Iterator[Any]:
        raise _refusal()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name) if name.startswith("_") else _refusal()


NOT_LOADED: Final[Any] = NotLoaded()
"""The value of a relation or projection that was not asked for. Compare with ``is``."""


def _refusal() -> NotLoadedError:
    return NotLoadedError(
        "the relation is not loaded",
        remedy='read the entity with a profile that names it: repository.get(key, profile="...")',
    )


@frozen
class Link:
    """A link table that has no entity of its own: its name and its two columns."""

    table: str
    source: str
    target: str

    def reversed(self) -> Link:
        """The same table, seen from the other side."""
        return Link(self.table, self.target, self.source)


@frozen(kw_only=True)
class RelationOptions:
    """How a relation is found; see ``relation``."""

    foreign_key: str = ""
    through: type | str | Link | None = None
    target_key: str = ""
    on_delete: str = ""
    sort: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProjectionOptions:
    """What is computed over which relation; see ``projection``."""

    kind: str
    relation: str
    value: Expr | None = None
    where: Expr | None = attrs.field(default=None, eq=False)
    sort: tuple[str, ...] = ()
    precision: int = 38
    scale: int | None = None
