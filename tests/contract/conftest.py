"""Fixtures of the HTTP tests that run over every store."""

from tests.contract.http_stores import any_store, every_api, shop_database

__all__ = ["any_store", "every_api", "shop_database"]
