"""The HTTP face of the shop."""

from examples.store.addresses import Address
from examples.store.callers import MANAGE
from examples.store.checkout import CancelOrder, PlaceOrder
from examples.store.orders import Order
from examples.store.products import Discontinue, Product, Restock
from examples.store.users import User
from loom.core import col, principal
from loom.rest import PaginationMode, RestInterface, RestRoute


class UserInterface(RestInterface[User]):
    """Users are the affair of those who run the shop."""

    prefix = "/users"
    tags = ("users",)
    auto = True
    filters = ("email",)
    sorts = ("name", "created_at")
    requires = (MANAGE,)


class AddressInterface(RestInterface[Address]):
    """Below its user, and only for that user: of others there are none."""

    prefix = "/users/{user_id}/addresses"
    tags = ("users",)
    auto = True
    parent = "user_id"
    scope = col("user_id") == principal.user_id
    filters = ("country",)
    sorts = ("city",)


class ProductInterface(RestInterface[Product]):
    """Everybody may look; those who run the shop do the rest."""

    prefix = "/products"
    tags = ("products",)
    auto = True
    pagination_mode = PaginationMode.OFFSET
    filters = ("sku", "name", "price", "stock", "discontinued")
    sorts = ("name", "price", "stock")
    fields = ("sku", "name", "price", "stock")
    bulk = ("create", "update")
    export = True
    public = ("list", "get")
    requires = (MANAGE,)
    routes = (
        RestRoute(use_case=Restock, method="POST", path="/{id}/restock"),
        RestRoute(use_case=Discontinue, method="POST", path="/{id}/discontinue"),
    )


class OrderInterface(RestInterface[Order]):
    """A user sees his own orders and no others; nobody edits or deletes one."""

    prefix = "/orders"
    tags = ("orders",)
    auto = True
    include = ("list", "get")
    filters = ("status", "created_at", "address.city")
    sorts = ("created_at",)
    profiles = ("with_lines",)
    scope = col("user_id") == principal.user_id
    routes = (
        RestRoute(use_case=PlaceOrder, method="POST"),
        RestRoute(use_case=CancelOrder, method="POST", path="/{id}/cancel"),
    )
