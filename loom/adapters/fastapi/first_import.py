"""Imports FastAPI without building what a server does not use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pydantic

_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


def import_fastapi() -> None:
    """Import FastAPI, where nobody has yet.

    FastAPI describes OpenAPI by forty pydantic models, and building their validators is a third of its import. They
    serve its own ``/openapi.json`` alone, so they are built when the first of them is used. What it does build, limits
    of forms, is no concern of pydantic's plugins, which are looked for in the metadata of every installed distribution.
    """
    with _deferred(), _no_plugins():
        import fastapi  # noqa: F401 - what it leaves in sys.modules is wanted


@contextmanager
def _deferred() -> Iterator[None]:
    """Models of pydantic that are declared inside the block build their validators when they are first used."""
    model: Any = pydantic.BaseModel
    config, rebuild = model.model_config, vars(model)["model_rebuild"]
    before = config.copy()
    config["defer_build"] = True

    def only_if_used(cls: type[Any], /, **options: Any) -> Any:
        # A model that is used asks with options. One that referred to a later model is told without any to be built as
        # soon as that is there, whatever its configuration says.
        return rebuild.__get__(None, cls)(**options) if options else None

    model.model_rebuild = classmethod(only_if_used)
    try:
        yield
    finally:
        model.model_rebuild = rebuild
        del config["defer_build"]
        config.update(before)


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Nobody's plugins are loaded inside the block; they are with the first model that is built after it."""
    before = os.environ.get(_PLUGINS)
    os.environ[_PLUGINS] = "__all__"
    try:
        yield
    finally:
        del os.environ[_PLUGINS]
        if before is not None:
            os.environ[_PLUGINS] = before
