"""What a user writes: ``RestInterface``, ``RestRoute``, ``PaginationMode`` and ``Idempotency``."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from loom.application.compile import here
from loom.application.generics import type_arguments
from loom.application.usecase.declaration import UseCase
from loom.domain.errors import LoomError, Place
from loom.domain.expr import Expr
from loom.domain.frozen import frozen

M = TypeVar("M")


class PaginationMode(enum.Enum):
    """How a list is read page by page."""

    CURSOR = "cursor"
    """A signed cursor continues behind the last row: steady under inserts, the same cost on every page."""
    OFFSET = "offset"
    """An offset and a total count: a client may jump to any page."""


class Idempotency(enum.Enum):
    """What a POST that writes does with the header ``Idempotency-Key``."""

    OPTIONAL = "optional"
    """A request that is sent again with its key is answered as before, and not done again."""
    REQUIRED = "required"
    """The same, and a request without a key is refused with 400."""
    OFF = "off"
    """The header is not looked at."""


@frozen(kw_only=True)
class RestRoute:
    """One route to one use case.

    Attributes:
        use_case: what runs. Its plain parameters come from the path where the path names them, else from the query
            string; its ``Input()`` comes from the body; a parameter annotated ``Query`` takes the page parameters.
        method: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
        path: behind the interface's prefix, with parameters in braces: ``"/{product_id}/restock"``.
        status_code: of success; where nothing is said 204 if the use case returns ``None``, 201 if it returns
            ``Created`` or derives from a generated ``create``, else 200.
        errors: what the use case itself raises beyond what its plan shows, for the OpenAPI document.
        summary: one line for the OpenAPI document; the first line of the use case's docstring where nothing is said.
        requires: what a caller must have been granted, all of it; ``()`` asks only that the caller is known. ``None``
            leaves it to the interface, as ``public`` does.
        public: anybody may call.
    """

    use_case: type[UseCase[Any, Any]]
    method: str
    path: str = ""
    status_code: int | None = None
    errors: Sequence[type[LoomError]] = ()
    summary: str = ""
    requires: Sequence[str] | None = None
    public: bool | None = None
    declared_at: Place = attrs.field(factory=lambda: here("RestRoute", depth=3), eq=False, repr=False)


class RestInterface(Generic[M]):
    """Base of interfaces: a resource over the entity ``M``, or a bundle of routes where no entity is named.

    What several have in common stands in a class of its own, ``class Tenanted(RestInterface[M])`` with its type
    variable, which is served for none by itself.

    Attributes:
        prefix: path of the resource; every route stands below it.
        tags: groups of the OpenAPI document.
        auto: generate list, get, create, update and delete for the entity.
        include: generate only these.
        exclude: generate all but these.
        pagination_mode: how the generated list, and routes that take a ``Query``, are paged.
        page_size: rows of a page where the client names no limit.
        max_page_size: most rows that a client may ask for in one page.
        filters: columns that a list may be filtered by: ``?stock.ge=5``. No others may.
        sorts: columns that a list may be ordered by: ``?sort=-price,name``. No others may.
        profiles: read profiles of the entity that a client may ask for: ``?profile=with_details``. No others may.
        default_profile: the profile of answers for which none is asked; rows alone where nothing is said.
        parent: for a prefix with parameters, ``"/users/{user_id}/addresses"``: the parameter that is also the foreign
            key, or the foreign keys by parameter. Rows of other parents do not exist there.
        export: serve the whole list, filtered and sorted, as NDJSON at ``/export``.
        bulk: serve these of ``create``, ``update`` and ``delete`` for lists: ``POST`` and ``PATCH`` of ``/bulk``, and
            ``POST`` of ``/bulk/delete``. All items in one transaction, or none.
        bulk_size: most items of a list, of one's own routes too.
        idempotency: what POST requests that write do with the header ``Idempotency-Key``.
        require_if_match: refuse (428) to change a row without the header ``If-Match``. The model keeps a version.
        fields: columns that a client may choose among in the generated list and get: ``?fields=sku,name`` answers these
            and the key. No others may be named; without it all come, always.
        routes: routes of your own; one with the method and path of a generated route replaces it.
        requires: what callers must have been granted, all of it: ``("products:write",)``; ``()`` asks only that they
            are known. Where neither this nor ``public`` is said, a deployment with security wants known callers.
        public: anybody may call; or the names of the generated operations that anybody may call: ``("list", "get")``.
        scope: the rows that a caller sees and writes through the generated operations and what is derived from them:
            ``col("tenant_id") == principal.tenant_id``. Others do not exist for it, nor for the generated operations of
            other interfaces, which reach them by relations and references.
        scoped_by: for an entity that the rows of this interface lead to, the interface whose scope holds for it here,
            or ``None`` for all of its rows. To be said where its interfaces have different scopes.
    """

    prefix: ClassVar[str] = ""
    tags: ClassVar[Sequence[str]] = ()
    auto: ClassVar[bool] = False
    include: ClassVar[Sequence[str]] = ()
    exclude: ClassVar[Sequence[str]] = ()
    pagination_mode: ClassVar[PaginationMode] = PaginationMode.CURSOR
    page_size: ClassVar[int] = 50
    max_page_size: ClassVar[int] = 200
    filters: ClassVar[Sequence[str]] = ()
    sorts: ClassVar[Sequence[str]] = ()
    fields: ClassVar[Sequence[str]] = ()
    profiles: ClassVar[Sequence[str]] = ()
    default_profile: ClassVar[str] = ""
    parent: ClassVar[str | Mapping[str, str]] = ""
    export: ClassVar[bool] = False
    bulk: ClassVar[Sequence[str]] = ()
    bulk_size: ClassVar[int] = 1_000
    idempotency: ClassVar[Idempotency] = Idempotency.OPTIONAL
    require_if_match: ClassVar[bool] = False
    routes: ClassVar[Sequence[RestRoute]] = ()
    requires: ClassVar[Sequence[str] | None] = None
    public: ClassVar[bool | Sequence[str]] = False
    scope: ClassVar[Expr | None] = None
    scoped_by: ClassVar[Mapping[type, type[RestInterface[Any]] | None]] = {}


def is_base(cls: type[RestInterface[Any]]) -> bool:
    """Whether a class is there only for others to derive from: ``class Tenanted(RestInterface[M])`` leaves its entity
    open."""
    return bool(cls.__parameters__ and cls.__subclasses__())  # type: ignore[attr-defined]


def model_of(cls: type[RestInterface[Any]]) -> type | None:
    """The class that an interface names: ``RestInterface[Product]``; ``None`` for ``RestInterface[None]``."""
    named = type_arguments(cls, RestInterface)
    return next((each for each in named if isinstance(each, type) and each is not type(None)), None)
