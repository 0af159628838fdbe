"""What is sold, and the two things that are done to it beyond editing: stock comes in, and a product is given up."""

from decimal import Decimal

from loom.core import F, Input, LoadById, Rule, UseCase, col, command, entity, field, key

MOST = 1_000_000
"""Pieces that a shelf holds."""


@entity(
    table="products",
    timestamps=True,
    version=True,
    checks={"price_positive": col("price") > 0, "stock_on_shelf": col("stock").between(0, MOST)},
)
class Product:
    id: int = key(autoincrement=True)
    sku: str = field(max_length=32, unique=True)
    name: str = field(max_length=100)
    price: Decimal = field(precision=10, scale=2)
    stock: int = 0
    discontinued: bool = False


@command
class Delivery:
    """Pieces that came in."""

    pieces: int


class Restock(UseCase[Product, Product]):
    """Put pieces that came in on the shelf."""

    rules = [
        Rule.require(F(Delivery).pieces.between(1, MOST), message=f"is between 1 and {MOST}"),
        Rule.check(
            F(Delivery).pieces,
            via=lambda pieces, product: "is more than the shelf holds" if product.stock + pieces > MOST else None,
        ).from_params("product"),
        Rule.forbid(lambda product: product.discontinued, message="is not sold any more").from_params("product"),
    ]

    async def execute(self, cmd: Delivery = Input(), product: Product = LoadById(Product)) -> Product:
        return await self.main_repo.update(product.id, {"stock": product.stock + cmd.pieces}) or product


class Discontinue(UseCase[Product, Product]):
    """Take a product off the list of what can be ordered; what is on the shelf stays there."""

    async def execute(self, product: Product = LoadById(Product)) -> Product:
        return await self.main_repo.update(product.id, {"discontinued": True}) or product
