"""Orders, their lines, and what the rest of the system is told about them."""

import enum
from decimal import Decimal

from examples.store.addresses import Address
from loom.core import col, command, entity, event, field, key, projection, relation


class Status(enum.Enum):
    PLACED = "placed"
    CANCELLED = "cancelled"


@entity(table="orders", timestamps=True, profiles={"with_lines": ("lines", "total", "address", "confirmation")})
class Order:
    """What a user ordered."""

    id: int = key(autoincrement=True)
    user_id: int = field(references="users.id", index=True)
    address_id: int = field(references="addresses.id")
    status: Status = Status.PLACED
    lines: "tuple[OrderLine, ...]" = relation(on_delete="cascade", sort="number")
    total: Decimal = projection(sum="lines", value=col("price") * col("quantity"))
    address: Address | None = relation()
    confirmation: "Confirmation | None" = relation()


@entity(table="order_lines")
class OrderLine:
    """One product of an order, at the price of that day."""

    order_id: int = key(references="orders.id")
    number: int = key()
    product_id: int = field(references="products.id", index=True)
    quantity: int
    price: Decimal = field(precision=10, scale=2)


@entity(table="confirmations")
class Confirmation:
    """What the user was told. A mail would leave where this row is written."""

    order_id: int = key(references="orders.id")
    email: str = field(max_length=100)
    text: str = field(max_length=200)


@command
class NewLine:
    product_id: int
    quantity: int


@command
class NewOrder:
    address_id: int
    lines: list[NewLine]


@event(topic="store.orders", key="order_id")
class OrderPlaced:
    order_id: int
    user_id: int
    pieces: int


@event(topic="store.orders", key="order_id")
class OrderCancelled:
    order_id: int
    user_id: int
