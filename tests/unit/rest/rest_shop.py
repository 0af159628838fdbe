"""The API that the REST tests share: products with a counted key, rates with a composite one, routes of its own."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeVar

from loom.application.compile import Issues
from loom.application.rest.compile import check_duplicates, compile_interface
from loom.application.rest.plan import InterfacePlan
from loom.core import F, Input, LoadById, Rule, UseCase, command, entity, event, field, key
from loom.domain.errors import Forbidden
from loom.domain.query import Page, Query
from loom.rest import PaginationMode, RestInterface, RestRoute

T = TypeVar("T")


class Status(enum.Enum):
    DRAFT = "draft"
    ON_SALE = "on-sale"


@entity(table="products", timestamps=True)
class Product:
    id: int = key(autoincrement=True)
    sku: str = field(max_length=16, unique=True)
    name: str = field(max_length=40)
    price: Decimal = field(precision=8, scale=2)
    stock: int = 0
    status: Status = Status.DRAFT
    released: dt.date | None = None
    batch: uuid.UUID | None = None
    labels: list[str] = field(factory=list)
    extra: dict[str, Any] = field(factory=dict)
    weight: float | None = None
    fragile: bool = False


@entity(table="rates")
class Rate:
    country: str = key(max_length=2)
    since: dt.date = key()
    percent: Decimal = field(precision=5, scale=2)


@command
class Restock:
    pieces: int


@event(topic="restocked", key="product_id")
class Restocked:
    product_id: int
    stock: int


class RestockProduct(UseCase[Product, Product]):
    """Add pieces to the stock."""

    rules = [Rule.require(F(Restock).pieces > 0, message="must be positive")]

    async def execute(
        self, product_id: int, cmd: Restock = Input(), product: Product = LoadById(Product, by="product_id")
    ) -> Product:
        changed = await self.main_repo.update(product_id, {"stock": product.stock + cmd.pieces})
        self.emit(Restocked(product_id=product_id, stock=product.stock + cmd.pieces))
        assert changed is not None
        return changed


class FindProducts(UseCase[Product, list[Product]]):
    """Products by status and labels."""

    read_only = True

    async def execute(self, status: Status, low: bool = False, skus: list[str] | None = None) -> list[Product]:
        page = await self.main_repo.list(Query(limit=None))
        return [
            product
            for product in page.items
            if product.status is status and (product.stock < 5 or not low) and (not skus or product.sku in skus)
        ]


class Purge(UseCase[Product, None]):
    """Remove everything; nobody may."""

    async def execute(self) -> None:
        raise Forbidden("nobody may remove everything")


class Break(UseCase[None, str]):
    """Fail like a program with a fault."""

    read_only = True

    async def execute(self) -> str:
        raise RuntimeError("the password is hunter2")


class Ping(UseCase[None, str]):
    read_only = True

    async def execute(self) -> str:
        return "pong"


class ListRates(UseCase[Rate, Page[Rate]]):
    """Rates, by page number."""

    read_only = True

    async def execute(self, query: Query) -> Page[Rate]:
        return await self.main_repo.list(query)


class ProductInterface(RestInterface[Product]):
    prefix = "/products"
    tags = ("Products",)
    auto = True
    page_size = 5
    max_page_size = 20
    filters = ("sku", "name", "price", "stock", "status", "released", "batch", "weight", "fragile", "created_at")
    sorts = ("name", "price", "released", "weight", "status")
    routes = (
        RestRoute(use_case=RestockProduct, method="POST", path="/{product_id}/restock", status_code=202),
        RestRoute(use_case=FindProducts, method="GET", path="/find"),
        RestRoute(use_case=Purge, method="POST", path="/purge", errors=[Forbidden]),
    )


class RateInterface(RestInterface[Rate]):
    prefix = "/rates"
    tags = ("Rates",)
    auto = True
    exclude = ("update",)
    pagination_mode = PaginationMode.OFFSET
    routes = (RestRoute(use_case=ListRates, method="GET", summary="Rates in force"),)


class ServiceInterface(RestInterface[None]):
    prefix = "/service"
    routes = (
        RestRoute(use_case=Ping, method="GET", path="/ping"),
        RestRoute(use_case=Break, method="GET", path="/break"),
    )


INTERFACES: tuple[type[RestInterface[Any]], ...] = (ProductInterface, RateInterface, ServiceInterface)


class NothingBound:
    """A resolver that knows nothing."""

    def knows(self, wanted: type) -> bool:
        return False

    def resolve(self, wanted: type[T]) -> T:
        raise LookupError(wanted)


def compiled(interfaces: Iterable[type[RestInterface[Any]]] = INTERFACES) -> list[InterfacePlan]:
    """The plans of interfaces that have no issue."""
    issues, served = Issues(), list(interfaces)
    plans = [compile_interface(interface, issues, NothingBound(), served) for interface in served]
    check_duplicates((route for plan in plans if plan for route in plan.routes), issues)
    issues.raise_if_any()
    return [plan for plan in plans if plan]
