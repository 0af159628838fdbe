"""What an empty shop begins with, so that there is something to order."""

from decimal import Decimal

from examples.store.addresses import Address
from examples.store.products import Product
from examples.store.users import User
from loom.core import Repository, UseCase

USERS = ({"email": "ann@example.org", "name": "Ann"}, {"email": "bob@example.org", "name": "Bob"})
PRODUCTS = (
    {"sku": "tea-green", "name": "Green tea", "price": Decimal("4.90"), "stock": 40},
    {"sku": "tea-black", "name": "Black tea", "price": Decimal("3.90"), "stock": 12},
    {"sku": "mug", "name": "Stoneware mug", "price": Decimal("14.50"), "stock": 3},
)


class FillShelves(UseCase[Product, bool]):
    """Store two users with an address each, and three products; ``False`` where there are products already."""

    def __init__(self, users: Repository[User], addresses: Repository[Address]) -> None:
        self.users = users
        self.addresses = addresses

    async def execute(self) -> bool:
        if await self.main_repo.count():
            return False
        for values in USERS:
            user = await self.users.create(values)
            await self.addresses.create({"user_id": user.id, "street": "1 High St", "city": "Leeds", "country": "GB"})
        await self.main_repo.create_many(PRODUCTS)
        return True
