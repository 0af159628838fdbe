"""``serve``: the interfaces of a kernel behind a web server, until the process is told to end."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from loom.config.rest_app import app_of
from loom.domain.errors import MissingExtra

if TYPE_CHECKING:
    from loom.config.kernel import Kernel


def serve(kernel: Kernel) -> bool:
    """Serve until SIGINT or SIGTERM, on the host and port of the section ``rest``; returns whether it ever started.

    Raises:
        CompileError: every issue of every declaration; nothing was started.
        ConfigError: the tables of the database are not those of the models.
        Unavailable: a server does not answer, or the address cannot be listened on; what was started has been stopped.
        MissingExtra: FastAPI or Uvicorn is not installed.
    """
    app = app_of(kernel)
    if importlib.util.find_spec("uvicorn") is None:
        raise MissingExtra("uvicorn", "rest")
    from loom.adapters.uvicorn.server import serve as run
    from loom.adapters.uvicorn.settings import UvicornSettings

    chosen = kernel.config.adapters["rest"].settings
    settings = UvicornSettings(
        host=chosen.host, port=chosen.port, drain=chosen.drain, drain_timeout=chosen.drain_timeout
    )
    return run(app, settings, kernel.begin_drain)
