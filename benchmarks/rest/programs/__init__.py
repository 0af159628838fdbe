"""The three programs. Each module has ``build(url)``, the ASGI application, and ``seed(url, amount)``."""

LOOM, FASTAPI, FLOOR = "loom", "FastAPI", "floor"
MODULES = {LOOM: "with_loom", FASTAPI: "with_fastapi", FLOOR: "with_starlette"}
"""The module of each program, by its name in reports."""
