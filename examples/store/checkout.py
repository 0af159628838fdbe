"""Placing an order and taking it back: rules, stock, event and job in one transaction."""

from collections.abc import Iterator

from examples.store.addresses import Address
from examples.store.callers import user_of
from examples.store.confirm import ConfirmOrder, Placed
from examples.store.orders import NewLine, NewOrder, Order, OrderCancelled, OrderLine, OrderPlaced, Status
from examples.store.products import Product
from loom.core import (
    Conflict,
    Created,
    F,
    FieldError,
    Input,
    LoadById,
    NotFound,
    Principal,
    Query,
    Repository,
    Rule,
    RuleViolations,
    UseCase,
    col,
)
from loom.rest import JobService

MOST_LINES = 50
MOST_PIECES = 1_000


def _named_again(lines: list[NewLine]) -> Iterator[FieldError]:
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if line.product_id in seen:
            yield FieldError(path=(index, "product_id"), message="is in the order already")
        seen.add(line.product_id)


def _refusals(line: NewLine, product: Product | None) -> Iterator[tuple[str, str]]:
    """Why a line cannot be served: the part that is wrong, and how."""
    if product is None:
        yield "product_id", "is no product"
    elif product.discontinued:
        yield "product_id", "is not sold any more"
    elif product.stock < line.quantity:
        yield "quantity", f"is more than the {product.stock} that are left"


class PlaceOrder(UseCase[Order, Created[Order]]):
    """Place an order: its lines are stored, the stock goes down, and a confirmation is sent, or none of it."""

    rules = [
        Rule.check(
            F(NewOrder).lines,
            via=lambda lines: None if 1 <= len(lines) <= MOST_LINES else f"has between 1 and {MOST_LINES} lines",
        ),
        Rule.each(
            F(NewOrder).lines,
            Rule.require(F(NewLine).quantity.between(1, MOST_PIECES), message=f"is between 1 and {MOST_PIECES}"),
        ),
        Rule.check(F(NewOrder).lines, via=lambda lines: list(_named_again(lines))),
    ]

    def __init__(
        self, caller: Principal, products: Repository[Product], lines: Repository[OrderLine], jobs: JobService
    ) -> None:
        self.caller = caller
        self.products = products
        self.lines = lines
        self.jobs = jobs

    async def execute(
        self, cmd: NewOrder = Input(), address: Address = LoadById(Address, by="address_id")
    ) -> Created[Order]:
        user_id = user_of(self.caller)
        if address.user_id != user_id:
            raise NotFound("Address", address.id)
        found = await self._on_shelf(cmd.lines)
        order = await self.main_repo.create({"user_id": user_id, "address_id": address.id})
        for number, line in enumerate(cmd.lines, start=1):
            values = {"product_id": line.product_id, "quantity": line.quantity, "price": found[line.product_id].price}
            await self.lines.create({"order_id": order.id, "number": number, **values})
        # In one order for everybody, so that two callers never wait for each other's rows.
        for line in sorted(cmd.lines, key=lambda line: line.product_id):
            left = found[line.product_id].stock - line.quantity
            await self.products.update(line.product_id, {"stock": left})
        self.emit(OrderPlaced(order_id=order.id, user_id=user_id, pieces=sum(line.quantity for line in cmd.lines)))
        await self.jobs.dispatch(ConfirmOrder, Placed(order_id=order.id))
        return Created(order)

    async def _on_shelf(self, lines: list[NewLine]) -> dict[int, Product]:
        """The products of the lines by their numbers. Every line that cannot be served is told, not only the first."""
        wanted = col("id").is_in([line.product_id for line in lines])
        known = {product.id: product async for product in self.products.stream(Query(where=wanted, limit=None))}
        faults = [
            FieldError(path=("lines", index, part), message=message)
            for index, line in enumerate(lines)
            for part, message in _refusals(line, known.get(line.product_id))
        ]
        if faults:
            raise RuleViolations(faults)
        return known


class CancelOrder(UseCase[Order, Order]):
    """Take an order back; its pieces return to the shelf."""

    def __init__(self, caller: Principal, products: Repository[Product]) -> None:
        self.caller = caller
        self.products = products

    async def execute(self, order: Order = LoadById(Order, profile="with_lines")) -> Order:
        if order.user_id != user_of(self.caller):
            raise NotFound("Order", order.id)
        if order.status is Status.CANCELLED:
            raise Conflict(f"order {order.id} is cancelled already")
        for line in order.lines:
            product = await self.products.get(line.product_id)
            if product is not None:
                await self.products.update(product.id, {"stock": product.stock + line.quantity})
        self.emit(OrderCancelled(order_id=order.id, user_id=order.user_id))
        return await self.main_repo.update(order.id, {"status": Status.CANCELLED}) or order
