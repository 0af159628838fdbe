"""A use case with one fault, behind two routes."""

from __future__ import annotations

from loom.core import UseCase
from loom.rest import RestInterface, RestRoute
from tests.unit.kernel.shop import Item


class Unannotated(UseCase[Item, None]):
    async def execute(self, sku) -> None:  # type: ignore[no-untyped-def]
        return None


class UnannotatedInterface(RestInterface[Item]):
    prefix = "/unannotated"
    routes = (
        RestRoute(use_case=Unannotated, method="POST", path="/{sku}/one"),
        RestRoute(use_case=Unannotated, method="POST", path="/{sku}/other"),
    )
