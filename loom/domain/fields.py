"""What the attributes of a model are declared with: ``key``, ``field``, ``relation`` and ``projection``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar, overload

import attrs

from loom.domain.expr import Expr, col
from loom.domain.frozen import frozen
from loom.domain.relations import NOT_LOADED, Link, OnDelete, ProjectionOptions, RelationOptions

T = TypeVar("T")
OPTIONS: Final = "loom.field"
"""Where the metadata of an attribute holds its ``FieldOptions``."""
_REQUIRED: Any = attrs.NOTHING


@frozen(kw_only=True)
class FieldOptions:
    """What a declaration adds to a field's type. ``references`` is ``"table.column"``, ``on_delete`` what happens to
    this row when the one that it refers to is deleted. With ``relation`` or ``projection`` nothing is stored."""

    key: bool = False
    autoincrement: bool = False
    unique: bool = False
    index: bool = False
    max_length: int | None = None
    precision: int = 38
    scale: int = 9
    references: str | None = None
    on_delete: str = ""
    relation: RelationOptions | None = None
    projection: ProjectionOptions | None = None

    @property
    def loaded(self) -> bool:
        """Whether the value is loaded by a profile rather than stored with the row."""
        return self.relation is not None or self.projection is not None


@overload
def field(*, max_length: int | None = ..., precision: int = ..., scale: int = ..., unique: bool = ...,
          index: bool = ..., references: str | None = ..., on_delete: OnDelete = ...) -> Any: ...  # fmt: skip
@overload
def field(*, default: T, max_length: int | None = ..., precision: int = ..., scale: int = ..., unique: bool = ...,
          index: bool = ..., references: str | None = ..., on_delete: OnDelete = ...) -> T: ...  # fmt: skip
@overload
def field(*, factory: Callable[[], T], max_length: int | None = ..., precision: int = ..., scale: int = ...,
          unique: bool = ..., index: bool = ..., references: str | None = ...,
          on_delete: OnDelete = ...) -> T: ...  # fmt: skip
def field(  # noqa: PLR0913 - one for each thing that a column may be
    *,
    default: Any = _REQUIRED,
    factory: Callable[[], Any] | None = None,
    max_length: int | None = None,
    precision: int = 38,
    scale: int = 9,
    unique: bool = False,
    index: bool = False,
    references: str | None = None,
    on_delete: OnDelete | None = None,
) -> Any:
    """Declare a field with more than its type.

    Args:
        default: value where none is given.
        factory: makes the value where none is given; use it for lists and dictionaries.
        max_length: longest string in characters, or byte string in bytes.
        precision: decimal digits of a ``Decimal`` in all.
        scale: decimal digits of a ``Decimal`` after the point.
        unique: no two rows share the value.
        index: the column is searched often.
        references: ``"table.column"`` that the value must exist in.
        on_delete: what deleting the row that this one refers to does to this one; ``restrict`` where nothing is said.
    """
    options = FieldOptions(
        max_length=max_length,
        precision=precision,
        scale=scale,
        unique=unique,
        index=index,
        references=references,
        on_delete=on_delete or "",
    )
    return _attribute(options, default, factory)


def key(
    *,
    autoincrement: bool = False,
    max_length: int | None = None,
    references: str | None = None,
    on_delete: OnDelete | None = None,
) -> Any:
    """Declare a field that identifies the row. Several keys in one model make a composite key.

    Args:
        autoincrement: the store gives the number at creation; commands then carry none.
        max_length: longest string in characters.
        references: ``"table.column"`` that the value must exist in.
        on_delete: what deleting the row that this one refers to does to this one; ``restrict`` where nothing is said.
    """
    options = FieldOptions(
        key=True,
        autoincrement=autoincrement,
        max_length=max_length,
        references=references,
        on_delete=on_delete or "",
    )
    return _attribute(options, _REQUIRED, None)


def relation(
    *,
    foreign_key: str = "",
    through: type | str | Link | None = None,
    target_key: str = "",
    on_delete: OnDelete | None = None,
    sort: str | Sequence[str] = (),
    init: Literal[False] = False,
) -> Any:
    """Declare a reference to other entities: ``owner: User``, ``notes: tuple[Note, ...]``.

    It is loaded only by a profile; until then the attribute is ``NOT_LOADED``. The class may be named by a string and
    live in a module that this one does not import.

    Args:
        foreign_key: the field that holds the reference: of this model for a single relation, of the other model for
            several (or for the reverse of a one-to-one). Needed only where more than one could be meant. With
            ``through``, the field of the link that refers to this model.
        through: the link of a many-to-many relation: an entity or its name, or ``Link("table", "column", "column")``
            for a table that has no entity.
        target_key: with ``through``, the field of the link that refers to the other model.
        on_delete: what deleting the row that is referred to does to the rows that refer to it; ``restrict`` where
            neither the relation nor its field says anything.
        sort: the order of several, by columns of the other model: ``"-created_at"``; its key follows always.
        init: tells type checkers that constructors are not given it.
    """
    options = RelationOptions(
        foreign_key=foreign_key,
        through=through,
        target_key=target_key,
        on_delete=on_delete or "",
        sort=names_of(sort),
    )
    return attrs.field(default=NOT_LOADED, metadata={OPTIONS: FieldOptions(relation=options)}, eq=False)


def projection(  # noqa: PLR0913 - one for each kind of projection
    *,
    count: str = "",
    exists: str = "",
    first: str = "",
    sum: str = "",  # noqa: A002 - named after what they compute
    min: str = "",  # noqa: A002
    max: str = "",  # noqa: A002
    value: Expr | str | None = None,
    where: Expr | None = None,
    sort: str | Sequence[str] = (),
    precision: int = 38,
    scale: int | None = None,
    init: Literal[False] = False,
) -> Any:
    """Declare a value that is computed over a relation: ``notes_count: int = projection(count="notes")``.

    It is loaded only by a profile, as a relation is. Exactly one of the first six arguments names the relation.

    Args:
        count: how many there are.
        exists: whether there is any.
        first: the first one in the order of ``sort``; of it, ``value`` alone where one is given.
        sum: the sum of ``value`` over all of them; 0 where there are none. Nulls are passed over.
        min: the least ``value``; null where there are none.
        max: the greatest ``value``; null where there are none.
        value: a column of the other model or an expression over its columns: ``col("price") * col("quantity")``.
        where: counts only those for which it is true: ``col("done") == False``.
        sort: the order that ``first`` goes by, ``"-created_at"``; that of the relation where nothing is said.
        precision: decimal digits of a ``Decimal`` in all.
        scale: decimal digits of a ``Decimal`` after the point; those of ``value`` where nothing is said.
        init: tells type checkers that constructors are not given it.

    Raises:
        TypeError: not exactly one relation is named.
    """
    kinds = {"count": count, "exists": exists, "first": first, "sum": sum, "min": min, "max": max}
    named = [(kind, relation) for kind, relation in kinds.items() if relation]
    if len(named) != 1:
        raise TypeError(f"projection takes exactly one of {', '.join(kinds)}, as in projection(count='notes')")
    options = ProjectionOptions(
        kind=named[0][0],
        relation=named[0][1],
        value=col(value) if isinstance(value, str) else value,
        where=where,
        sort=names_of(sort),
        precision=precision,
        scale=scale,
    )
    return attrs.field(default=NOT_LOADED, metadata={OPTIONS: FieldOptions(projection=options)}, eq=False)


def names_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """Several names where one may stand for itself."""
    return (given,) if isinstance(given, str) else tuple(given)


def _attribute(options: FieldOptions, default: Any, factory: Callable[[], Any] | None) -> Any:
    if factory is not None:
        return attrs.field(factory=factory, metadata={OPTIONS: options})
    return attrs.field(default=default, metadata={OPTIONS: options})
