"""Imports FastAPI without building what a server does not use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pydantic


def import_fastapi() -> None:
    """Import FastAPI, where nobody has yet.

    FastAPI describes OpenAPI by forty pydantic models, and building their validators is a fifth of its import. They
    serve its own ``/openapi.json`` alone. So they are built when the first of them is used, as ``defer_build`` has it.
    """
    with _deferred():
        import fastapi  # noqa: F401 - what it leaves in sys.modules is wanted


@contextmanager
def _deferred() -> Iterator[None]:
    """Models of pydantic that are declared inside the block build their validators when they are first used."""
    config = pydantic.BaseModel.model_config
    before = config.copy()
    config["defer_build"] = True
    try:
        yield
    finally:
        del config["defer_build"]
        config.update(before)
