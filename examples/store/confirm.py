"""The job that tells a user what was ordered."""

from examples.store.orders import Confirmation, Order
from examples.store.users import User
from loom.core import Input, LoadById, NotFound, Repository, command
from loom.rest import Job


@command
class Placed:
    """An order was placed."""

    order_id: int


class ConfirmOrder(Job[str]):
    """Write the confirmation of an order, and return where it went. A mail would be sent here."""

    queue = "mail"
    retries = 3
    timeout = 30.0

    def __init__(self, users: Repository[User], confirmations: Repository[Confirmation]) -> None:
        self.users = users
        self.confirmations = confirmations

    async def execute(
        self, cmd: Placed = Input(), order: Order = LoadById(Order, by="order_id", profile="with_lines")
    ) -> str:
        user = await self.users.get(order.user_id)
        if user is None:
            raise NotFound("User", order.user_id)
        text = f"{user.name}, your order {order.id} of {len(order.lines)} lines costs {order.total:.2f}"
        await self.confirmations.create({"order_id": order.id, "email": user.email, "text": text})
        return user.email
