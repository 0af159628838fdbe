"""A shop that the test kit is tested on: a use case with everything that one can have, and an interface over it."""

from __future__ import annotations

import enum
import uuid
from datetime import date

from loom.core import (
    ApplicationInvoker,
    Created,
    F,
    Header,
    Input,
    LoadById,
    Page,
    Query,
    Repository,
    Rule,
    UseCase,
    command,
    entity,
    event,
    field,
    key,
)
from loom.ports.clock import Clock
from loom.rest import Job, JobService, RestInterface, RestRoute


@entity(table="products")
class Product:
    id: int = key(autoincrement=True)
    sku: str = field(max_length=16, unique=True)
    name: str = field(max_length=40)
    stock: int = 0


@entity(table="audits")
class Audit:
    id: int = key(autoincrement=True)
    text: str


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@command
class Restock:
    pieces: int


@command
class NewProduct:
    sku: str
    name: str


@event(topic="restocked", key="product_id")
class Restocked:
    product_id: int
    stock: int


class Mailer:
    """A service of the application."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        """Send a mail."""
        self.sent.append(text)


class Notify(Job[None]):
    """Tell somebody."""

    async def execute(self, cmd: Restock = Input()) -> None:
        return None


class WriteAudit(UseCase[Audit, None]):
    async def execute(self, text: str) -> None:
        await self.main_repo.create({"text": text})


class RestockProduct(UseCase[Product, Product]):
    """Add pieces to the stock."""

    rules = [Rule.require(F(Restock).pieces > 0, message="must be positive")]

    def __init__(
        self,
        mailer: Mailer,
        clock: Clock,
        app: ApplicationInvoker,
        jobs: JobService,
        audits: Repository[Audit],
    ) -> None:
        self.mailer = mailer
        self.clock = clock
        self.app = app
        self.jobs = jobs
        self.audits = audits

    async def execute(
        self, product_id: int, cmd: Restock = Input(), product: Product = LoadById(Product, by="product_id")
    ) -> Product:
        changed = await self.main_repo.update(product_id, {"stock": product.stock + cmd.pieces})
        assert changed is not None
        text = f"restocked {product.sku} at {self.clock.now().date()}"
        await self.app.invoke(WriteAudit, params={"text": text})
        self.emit(Restocked(product_id=product_id, stock=changed.stock))
        await self.jobs.dispatch(Notify, cmd)
        self.mailer.send(text)
        return changed


class CreateProduct(UseCase[Product, Created[Product]]):
    """Create a product."""

    async def execute(self, cmd: NewProduct = Input()) -> Created[Product]:
        return Created(await self.main_repo.create(cmd))


class CreateElsewhere(UseCase[Product, Created[str]]):
    """Create something that another service shows."""

    async def execute(self) -> Created[str]:
        return Created("made", location="https://example.org/größe?of=tea")


class Echo(UseCase[None, list[str]]):
    """Tell what was given."""

    read_only = True

    async def execute(
        self,
        day: date,
        client: str = Header("X-Client"),
        sizes: list[int] | None = Header("X-Sizes"),
        batch: uuid.UUID | None = Header("X-Batch"),
        colour: Colour = Colour.RED,
        since: date = date(2026, 1, 1),
        labels: list[str] | None = None,
        limit: int = 3,
        exact: bool = False,
    ) -> list[str]:
        given = (day, client, sizes, batch, colour.value, since, labels, limit, exact)
        return [str(value) for value in given]


class Listed(UseCase[Product, Page[Product]]):
    """Products, page by page."""

    read_only = True

    async def execute(self, query: Query = Query()) -> Page[Product]:
        return await self.main_repo.list(query)


class Broken(UseCase[None, str]):
    """Fail like a program with a fault."""

    read_only = True

    async def execute(self) -> str:
        raise RuntimeError("a fault of the program")


class ProductInterface(RestInterface[Product]):
    prefix = "/products"
    auto = True
    include = ("get", "update", "delete")
    routes = (
        RestRoute(use_case=CreateProduct, method="POST"),
        RestRoute(use_case=RestockProduct, method="POST", path="/{product_id}/restock", status_code=202),
        RestRoute(use_case=CreateElsewhere, method="POST", path="/elsewhere"),
        RestRoute(use_case=Listed, method="GET", path="/all"),
    )


class ServiceInterface(RestInterface[None]):
    prefix = "/service"
    routes = (
        RestRoute(use_case=Echo, method="GET", path="/echo/{day}"),
        RestRoute(use_case=Broken, method="GET", path="/broken"),
    )


TEA = Product(id=1, sku="tea", name="Tea", stock=2)
