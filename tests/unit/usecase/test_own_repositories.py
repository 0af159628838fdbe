"""A service's own repositories: used wherever the model's repository is, over every store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import attrs
import pytest
import sqlalchemy as sa

from loom.adapters.json.codec import JsonCodec
from loom.adapters.memory.persistence import MemoryPersistence
from loom.adapters.sqlalchemy.persistence import SqlUnitOfWork
from loom.adapters.sqlalchemy.provide import provide
from loom.adapters.sqlalchemy.settings import SqlalchemySettings
from loom.application.compile import Issues
from loom.application.models import compile_models
from loom.application.repositories import DelegatingRepository, RepositoryBuilder, repository_for
from loom.application.rest.auto import auto_crud
from loom.application.usecase.declaration import UseCase
from loom.application.usecase.executor import Executor
from loom.application.usecase.markers import LoadById
from loom.domain.errors import ConfigError
from loom.domain.expr import col
from loom.domain.model import entity, key
from loom.domain.query import Query
from loom.ports.persistence import Persistence, Repository, UnitOfWork
from loom.testing.clock import FakeClock

M = TypeVar("M")
T = TypeVar("T")


@entity(table="own_products")
class Product:
    id: int = key(autoincrement=True)
    name: str
    stock: int = 0


@entity(table="own_shelves")
class Shelf:
    code: str = key()


@entity(table="own_totals")
class Total:
    id: int = key()


@repository_for(Product)
class ProductRepository(DelegatingRepository[Product]):
    """Trims names, and knows what is running out."""

    async def create(self, values: object) -> Product:
        given = attrs.asdict(cast("Any", values)) if attrs.has(type(values)) else dict(cast("Any", values))
        return await super().create(given | {"name": given["name"].strip()})

    async def running_out(self) -> Sequence[Product]:
        page = await self.list(Query(where=col("stock") < 5, limit=None))
        return page.items


@repository_for(Total)
class TotalRepository(DelegatingRepository[Total]):
    """Statements of its own, in the transaction of the unit of work."""

    def __init__(self, rows: Repository[Total], unit: SqlUnitOfWork) -> None:
        super().__init__(rows)
        self.unit = unit

    async def stock(self) -> int:
        products = self.unit.table(Product)
        found = await self.unit.select(sa.select(sa.func.sum(products.c.stock)))
        return int(found[0][0])


@entity(table="own_wrong")
class Wrong:
    id: int = key()


@repository_for(Wrong)
class Half:
    def __init__(self, rows: Repository[Wrong], mailer: asyncio.Event) -> None: ...

    async def get(self, key: Any) -> None: ...


class AddProduct(UseCase[Product, Product]):
    async def execute(self, name: str, stock: int) -> Product:
        return await self.main_repo.create({"name": name, "stock": stock})


class Inspect(UseCase[Shelf, tuple[str, ...]]):
    read_only = True

    def __init__(self, products: ProductRepository, same: Repository[Product], shelves: Repository[Shelf]) -> None:
        self.products = products
        self.given = (type(products).__name__, type(same).__name__, type(shelves).__name__)

    async def execute(self) -> tuple[str, ...]:
        return (*self.given, *(each.name for each in await self.products.running_out()))


class CountStock(UseCase[None, int]):
    def __init__(self, totals: TotalRepository, products: Repository[Product]) -> None:
        self.totals = totals
        self.products = products

    async def execute(self, product: Product = LoadById(Product, by="product_id")) -> int:
        await self.products.update(product.id, {"stock": product.stock + 100})
        return await self.totals.stock()


class Counting(DelegatingRepository[M]):
    """Counts what is read."""

    reads = 0

    async def get(self, key: Any, *, profile: str = "") -> M | None:
        Counting.reads += 1
        return await super().get(key, profile=profile)


class CountingBuilder:
    """Another default for a whole project."""

    def build(self, model: type[M], default: Repository[M], unit: UnitOfWork) -> Repository[M]:
        return Counting(default)


class Services:
    """A resolver that knows what it was given."""

    def __init__(self, services: dict[type, Any] | None = None) -> None:
        self.services = services or {}

    def knows(self, wanted: type) -> bool:
        return wanted in self.services

    def resolve(self, wanted: type[T]) -> T:
        return cast("T", self.services[wanted])


def executor_over(store: Persistence, services: dict[type, Any] | None = None) -> Executor:
    return Executor(persistence=store, resolver=Services(services), codec=JsonCodec(), clock=FakeClock())


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Persistence]:
    codec, clock = JsonCodec(), FakeClock()
    settings = SqlalchemySettings(url=f"sqlite+aiosqlite:///{tmp_path}/own.db")
    made: Persistence = (
        MemoryPersistence(codec=codec, clock=clock)
        if request.param == "memory"
        else provide(settings, codec=codec, clock=clock)
    )
    await made.start((Product, Shelf, Total))
    yield made
    await made.stop()


async def test_it_is_the_main_repository_and_that_of_constructors(store: Persistence) -> None:
    executor = executor_over(store)
    assert (await executor.invoke(AddProduct, params={"name": " pen ", "stock": 2})).name == "pen"
    await executor.invoke(AddProduct, params={"name": "ink", "stock": 9})
    found = await executor.invoke(Inspect)
    assert found[:2] == ("ProductRepository", "ProductRepository")
    assert found[2] in ("MemoryRepository", "SqlRepository")
    assert found[3:] == ("pen",)


async def test_generated_use_cases_go_through_it(store: Persistence) -> None:
    crud = auto_crud(Product)
    made = await executor_over(store).invoke(crud.create, crud.create_command(name=" ink ", stock=1))
    assert made.name == "ink"


async def test_a_project_may_have_another_default(store: Persistence) -> None:
    """The service's own class is put around it."""
    executor = executor_over(store, {RepositoryBuilder: CountingBuilder()})
    made = await executor.invoke(AddProduct, params={"name": " pen ", "stock": 2})
    before = Counting.reads
    await executor.invoke(auto_crud(Product).get, params={"id": made.id})
    assert (made.name, Counting.reads - before) == ("pen", 1)
    assert (await executor.invoke(Inspect))[2] == "Counting"


async def test_it_may_ask_for_the_unit_of_one_store(store: Persistence) -> None:
    """Its statements see what the unit has written; another store says what is wrong."""
    executor = executor_over(store)
    made = await executor.invoke(AddProduct, params={"name": "pen", "stock": 2})
    if isinstance(store, MemoryPersistence):
        with pytest.raises(ConfigError, match="TotalRepository is made for SqlUnitOfWork"):
            await executor.invoke(CountStock, params={"product_id": made.id})
    else:
        assert await executor.invoke(CountStock, params={"product_id": made.id}) == 102


def test_a_class_that_is_no_repository_is_an_issue() -> None:
    issues = Issues()
    compile_models([Wrong], issues)
    assert [issue.code for issue in issues.found] == ["LOOM-CORE-025", "LOOM-CORE-025"]
    first, second = issues.found
    rest = "find, list, pick, pick_one, exists, count, stream, create, create_all, create_many, update, delete"
    assert first.message == f"Half, the repository of Wrong, has no {rest}"
    assert first.remedy == "derive it from DelegatingRepository[Wrong]"
    assert second.message == "Half(mailer: ...) asks for what no repository is given"
