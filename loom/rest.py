"""The public face of REST: interfaces, routes, generated use cases, and the applications that serve them."""

from loom.application.rest.auto import AutoCrud, auto_crud
from loom.application.rest.declare import PaginationMode, RestInterface, RestRoute
from loom.config.rest_app import app_of, create_app, mount

__all__ = ["AutoCrud", "PaginationMode", "RestInterface", "RestRoute", "app_of", "auto_crud", "create_app", "mount"]
