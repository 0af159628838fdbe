"""A small shop that the use-case tests share."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar, cast

from loom.core import ABSENT, Patch, command, entity, event, field, key

T = TypeVar("T")


@entity(table="products")
class Product:
    id: int = key(autoincrement=True)
    sku: str = field(max_length=64, unique=True)
    name: str = field(max_length=150)
    price: Decimal = field(precision=12, scale=2)
    stock: int = 0


@command
class CreateProduct:
    sku: str
    name: str
    price: Decimal


@command
class RenameProduct:
    name: Patch[str] = ABSENT
    stock: Patch[int] = ABSENT


@event(topic="products", key="id")
class ProductCreated:
    id: int


class Mailer:
    """Something that only a container can give."""

    def __init__(self) -> None:
        self.sent: list[str] = []


class Bound:
    """A resolver over a dictionary."""

    def __init__(self, *instances: object) -> None:
        self._instances = {type(instance): instance for instance in instances}

    def knows(self, wanted: type) -> bool:
        return wanted in self._instances

    def resolve(self, wanted: type[T]) -> T:
        return cast("T", self._instances[wanted])
