"""Interfaces that have their options from a base with an open type variable."""

from __future__ import annotations

from typing import TypeVar

from loom.core import entity, field, key
from loom.rest import PaginationMode, RestInterface

M = TypeVar("M")


@entity(table="based_items")
class Item:
    sku: str = key(max_length=8)
    name: str = field(max_length=20)


class Paged(RestInterface[M]):
    """What they have in common."""

    auto = True
    include = ("list", "get")
    pagination_mode = PaginationMode.OFFSET


class ItemInterface(Paged[Item]):
    prefix = "/items"


class NamedInterface(Paged[Item]):
    prefix = "/named"
    sorts = ("name",)
