"""What a model says about its relations: references to other entities, values computed over them, and profiles.

None of these is stored with the row. They are read only where a profile asks for them; until then the attribute holds
``NOT_LOADED``, which is neither ``None`` nor empty and is left out of JSON. So ``null``, ``false`` and ``[]`` always
mean what they say.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final, Literal, NoReturn, TypeAlias

import attrs

from loom.domain.errors import LoomError
from loom.domain.expr import Expr

OnDelete: TypeAlias = Literal["restrict", "cascade", "set_null"]
"""What deleting a row does to the rows that refer to it: refuse, delete them too, or set their reference to null."""

ON_DELETE: Final = ("restrict", "cascade", "set_null")
AGGREGATES: Final = ("count", "exists", "first", "sum", "min", "max")
"""The kinds of projections."""


class NotLoadedError(LoomError, AttributeError):
    """A relation or projection was used that no profile had loaded."""

    code = "LOOM-NOT-LOADED"


class NotLoaded(enum.Enum):
    """Type of the single value ``NOT_LOADED``. It has no truth value, no items and no attributes."""

    NOT_LOADED = "not loaded"

    def __repr__(self) -> str:
        return "NOT_LOADED"

    def __bool__(self) -> bool:  # noqa: PLE0304 - it raises
        self._refuse()

    def __len__(self) -> int:  # noqa: PLE0303 - it raises
        self._refuse()

    def __iter__(self) -> Iterator[NoReturn]:
        self._refuse()

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotLoadedError(
            "the relation is not loaded",
            remedy='read the entity with a profile that names it: repository.get(key, profile="...")',
        )


NOT_LOADED: Final = NotLoaded.NOT_LOADED
"""The value of a relation or projection that was not asked for. Compare with ``is``."""


@attrs.frozen
class Link:
    """A link table that has no entity of its own: its name and its two columns."""

    table: str
    source: str
    target: str

    def reversed(self) -> Link:
        """The same table, seen from the other side."""
        return Link(self.table, self.target, self.source)


@attrs.frozen(kw_only=True)
class RelationOptions:
    """How a relation is found; see ``relation``."""

    foreign_key: str = ""
    through: type | str | Link | None = None
    target_key: str = ""
    on_delete: str = ""
    sort: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ProjectionOptions:
    """What is computed over which relation; see ``projection``."""

    kind: str
    relation: str
    value: Expr | None = None
    where: Expr | None = attrs.field(default=None, eq=False)
    sort: tuple[str, ...] = ()
    precision: int = 38
    scale: int | None = None
