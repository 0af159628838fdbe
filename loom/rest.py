"""The REST face: declare interfaces over use cases. Imports no web framework; ``create_app`` does when it is called."""

from loom.application.rest.auto import AutoCrud, auto_crud
from loom.application.rest.declare import PaginationMode, RestInterface, RestRoute

__all__ = ["AutoCrud", "PaginationMode", "RestInterface", "RestRoute", "auto_crud"]
