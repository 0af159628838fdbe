"""The plan of an interface: everything that an HTTP adapter and the OpenAPI document need, decided once."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from loom.application.profiles import Profile as Loaded
from loom.application.rest.declare import Idempotency, PaginationMode
from loom.application.rest.paths import PathTemplate
from loom.application.usecase.plan import UseCasePlan
from loom.domain.errors import LoomError, Place
from loom.domain.expr import Expr
from loom.domain.model import ModelSchema
from loom.domain.schema import LogicalType


class Reply(enum.Enum):
    """The shape of a successful answer's body."""

    EMPTY = "empty"
    VALUE = "value"
    PAGE = "page"
    STREAM = "stream"
    """One JSON value on each line (NDJSON), as many as there are."""


@attrs.frozen(kw_only=True, repr=False)
class ParameterPlan:
    """One parameter of the path or the query string.

    ``read`` turns its text into a value of ``type``, or raises ``Faults`` saying what is wrong. A ``repeated``
    parameter may be given several times; ``read`` then reads one item. The items of a ``separated`` one stand in one
    text with commas, which ``read`` reads whole. ``bounds`` narrow an integer further.
    """

    name: str
    type: LogicalType
    required: bool
    read: Callable[[str], object]
    repeated: bool = False
    separated: bool = False
    default: object = None
    description: str = ""
    bounds: tuple[int, int] | None = None


@attrs.frozen(eq=False, repr=False)
class HeaderPlan:
    """One header that a use case reads; ``parameter`` has the name of its parameter, and of the value."""

    name: str
    parameter: ParameterPlan


@attrs.frozen(eq=False, kw_only=True, repr=False)
class FilterPlan:
    """One query parameter that narrows a list, and the predicate that its value becomes."""

    parameter: ParameterPlan
    build: Callable[[Any], Expr]


@attrs.frozen(eq=False, kw_only=True, repr=False)
class PagePlan:
    """How a list is asked for: the ``Query`` goes to the parameter ``argument`` of the use case.

    Without a ``size`` all rows are asked for at once, and nobody continues behind them.
    """

    argument: str
    mode: PaginationMode
    size: int | None
    row: ModelSchema
    parameters: tuple[ParameterPlan, ...]
    filters: tuple[FilterPlan, ...]
    profile: str = ""


@attrs.frozen(eq=False, kw_only=True, repr=False)
class ReplyPlan:
    """What success looks like. ``location`` builds the path of the created row from it, where there is one;
    ``answers`` is what rows hold beside what is stored, by profile, where there are profiles. The value
    of a ``created`` reply is inside ``Created``; ``version`` names the field that its ``ETag`` is made from; ``fields``
    are those of which a client may ask for some alone."""

    kind: Reply
    status: int
    type: Any = None
    location: Callable[[Any], str] | None = None
    answers: Mapping[str, Loaded | None] = attrs.field(factory=dict)
    created: bool = False
    version: str = ""
    fields: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class Access:
    """Who may call a route.

    ``public`` is anybody; otherwise whoever is known and was granted all that the route ``requires``. Where nothing is
    ``stated``, the deployment decides: with security a caller must be known, without it anybody may call.
    """

    public: bool = False
    requires: tuple[str, ...] = ()
    stated: bool = False


@attrs.frozen(eq=False, kw_only=True, repr=False)
class RoutePlan:
    """One method on one path. ``expected`` is the parameter of the use case that takes the version of ``If-Match``."""

    method: str
    path: PathTemplate
    summary: str
    tags: tuple[str, ...]
    use_case: UseCasePlan
    path_parameters: tuple[ParameterPlan, ...]
    query_parameters: tuple[ParameterPlan, ...]
    page: PagePlan | None
    reply: ReplyPlan
    errors: tuple[type[LoomError], ...]
    generated: bool
    place: Place
    header_parameters: tuple[HeaderPlan, ...] = ()
    access: Access = Access()
    idempotency: Idempotency = Idempotency.OFF
    most_items: int = 0
    expected: str = ""
    if_match_required: bool = False

    @property
    def command(self) -> type | None:
        """The type of the body, or ``None`` where the route takes none. A list has at most ``most_items``."""
        return self.use_case.command


@attrs.frozen(eq=False, kw_only=True, repr=False)
class InterfacePlan:
    """A compiled interface. ``routes`` stand in declaration order, generated ones first."""

    name: str
    model: ModelSchema | None
    routes: tuple[RoutePlan, ...]
    place: Place

    @property
    def use_cases(self) -> tuple[type, ...]:
        """The use cases that the routes run, each once."""
        return tuple(dict.fromkeys(route.use_case.use_case for route in self.routes))
