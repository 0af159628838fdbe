"""Repositories of a service's own: a class for one model, and a builder for all models of a project.

    @repository_for(Product)
    class ProductRepository(DelegatingRepository[Product]):
        async def to_reorder(self) -> Sequence[Product]:
            return (await self.rows.list(Query(where=col("stock") < 5, limit=None))).items

From then on ``main_repo`` of use cases over products, every ``Repository[Product]`` in a constructor, the loads of
parameters and the generated routes are a ``ProductRepository``, over every store. A constructor argument annotated with
the class itself is one as well, with its own methods known to the type checker.
"""

from __future__ import annotations

import inspect
import typing
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from loom.application.compile import Issues
from loom.domain.errors import ConfigError, Issue, Place
from loom.domain.expr import Expr
from loom.domain.query import Page, Query
from loom.ports.persistence import Reader, Repository, UnitOfWork, Writer

M = TypeVar("M")
C = TypeVar("C", bound=type)
Build = Callable[[Any, UnitOfWork], Any]
METHODS = tuple(name for part in (Reader, Writer) for name in vars(part) if not name.startswith("_"))
"""What every repository has."""

_OWN: weakref.WeakKeyDictionary[type, type] = weakref.WeakKeyDictionary()
_MODELS: weakref.WeakKeyDictionary[type, type] = weakref.WeakKeyDictionary()
_BUILDS: weakref.WeakKeyDictionary[type, Build] = weakref.WeakKeyDictionary()


class RepositoryBuilder(Protocol):
    """Protocol of what makes the repositories of a project: ``kernel.bind(RepositoryBuilder, builder)``."""

    def build(self, model: type[M], default: Repository[M], unit: UnitOfWork) -> Repository[M]:
        """The repository of a model in one unit of work. ``default`` is that of the store.

        A class of ``repository_for`` is put around what this gives.
        """


class DelegatingRepository(Generic[M]):
    """A repository that does what another one does; override what shall be different.

    Args:
        rows: the default repository of the model.
    """

    def __init__(self, rows: Repository[M]) -> None:
        self.rows = rows

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        return await self.rows.get(key, profile=profile)

    async def find(self, where: Expr, *, profile: str = "") -> M | None:
        return await self.rows.find(where, profile=profile)

    async def list(self, query: Query) -> Page[M]:
        return await self.rows.list(query)

    async def pick(self, query: Query, fields: Sequence[str]) -> Page[Mapping[str, Any]]:
        return await self.rows.pick(query, fields)

    async def pick_one(self, key: Any, fields: Sequence[str]) -> Mapping[str, Any] | None:
        return await self.rows.pick_one(key, fields)

    async def exists(self, where: Expr) -> bool:
        return await self.rows.exists(where)

    async def count(self, where: Expr | None = None) -> int:
        return await self.rows.count(where)

    def stream(self, query: Query) -> AsyncIterator[M]:
        return self.rows.stream(query)

    async def create(self, values: object) -> M:
        return await self.rows.create(values)

    async def create_all(self, values: Sequence[object]) -> Sequence[M]:
        return await self.rows.create_all(values)

    async def create_many(self, values: Sequence[object]) -> int:
        return await self.rows.create_many(values)

    async def update(self, key: Any, changes: object, *, expected_version: int | None = None) -> M | None:
        return await self.rows.update(key, changes, expected_version=expected_version)

    async def delete(self, key: Any, *, expected_version: int | None = None) -> bool:
        return await self.rows.delete(key, expected_version=expected_version)


def repository_for(model: type) -> Callable[[C], C]:
    """Make a class the repository of a model.

    An object of it is made for each unit of work that uses it. Its constructor may ask for ``Repository[Model]`` (the
    default one), for the ``UnitOfWork``, and for that of one store (``SqlUnitOfWork``), which ties it to the store.
    """

    def register(cls: C) -> C:
        _OWN[model] = cls
        _MODELS[cls] = model
        return cls

    return register


def model_of(cls: object) -> type | None:
    """The model that a class is the repository of, or ``None``."""
    return _MODELS.get(cls) if isinstance(cls, type) else None


def own_repository(model: type[M], default: Repository[M], unit: UnitOfWork) -> Repository[M]:
    """The repository of a model: that of the service where it has one, else the default.

    Raises:
        ConfigError: the service's one is made for another store.
    """
    own = _OWN.get(model)
    if own is None:
        return default
    build = _BUILDS.get(own)
    if build is None:
        build = _BUILDS[own] = _build(own)
    return typing.cast("Repository[M]", build(default, unit))


def check_repository(model: type, issues: Issues) -> None:
    """Record what is wrong with a model's own repository."""
    own = _OWN.get(model)
    if own is None:
        return
    missing = [name for name in METHODS if not callable(getattr(own, name, None))]
    if missing:
        message = f"{own.__name__}, the repository of {model.__name__}, has no {', '.join(missing)}"
        issues.add("LOOM-CORE-025", own, message, f"derive it from DelegatingRepository[{model.__name__}]")
    try:
        unknown = [name for name, wanted in _wanted(own) if not _is_rows(wanted) and not _is_unit(wanted)]
    except NameError as error:
        issues.add("LOOM-CORE-025", own, f"an annotation of {own.__name__}.__init__ cannot be resolved: {error}")
        return
    for name in unknown:
        message = f"{own.__name__}({name}: ...) asks for what no repository is given"
        issues.add("LOOM-CORE-025", own, message, f"ask for Repository[{model.__name__}] or UnitOfWork")


def _build(own: type) -> Build:
    wanted = _wanted(own)

    def build(default: Any, unit: UnitOfWork) -> Any:
        return own(**{name: default if _is_rows(kind) else _fitting(own, kind, unit) for name, kind in wanted})

    return build


def _wanted(own: type) -> list[tuple[str, Any]]:
    constructor: Any = inspect.getattr_static(own, "__init__")
    if constructor is object.__init__:
        return []
    hints = typing.get_type_hints(own.__init__)  # type: ignore[misc]
    parameters = list(inspect.signature(own).parameters.values())
    required = [each for each in parameters if each.default is inspect.Parameter.empty]
    return [(each.name, hints.get(each.name)) for each in required]


def _is_rows(wanted: Any) -> bool:
    return (typing.get_origin(wanted) or wanted) is Repository


def _is_unit(wanted: Any) -> bool:
    return isinstance(wanted, type) and (wanted is UnitOfWork or hasattr(wanted, "repository"))


def _fitting(own: type, kind: Any, unit: UnitOfWork) -> UnitOfWork:
    if kind is UnitOfWork or isinstance(unit, kind):
        return unit
    beneath: UnitOfWork | None = getattr(unit, "store_unit", None)
    if beneath is not None:
        # A cache stands before the store.
        return _fitting(own, kind, beneath)
    message = f"{own.__name__} is made for {kind.__name__}, but the store gives {type(unit).__name__}"
    place = Place(name="persistence.adapter")
    raise ConfigError([Issue(code="LOOM-CORE-026", where=place, message=message, remedy="choose its store")])
