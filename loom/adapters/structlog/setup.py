"""Sets up logging: structlog and the standard library's loggers write the same lines.

Libraries log through ``logging``, applications through either; one handler on the root logger renders all of them, so
that a line has the same form, level and correlation id wherever it comes from.

Setting up imports no structlog, which takes as long as a small application: the first line does, or the application.
"""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from typing import TextIO

from loom.adapters.structlog.imported import when_imported
from loom.adapters.structlog.settings import LogSettings

_HANDLER = "loom"
_levelled: list[str] = []
"""Loggers whose level the last call set; the next one takes it back."""


def set_up_logging(settings: LogSettings, *, stream: TextIO | None = None) -> None:
    """Send every log line to ``stream``, in the form and from the level that the settings say.

    It replaces what an earlier call set up and leaves the handlers of others alone. Call it once, when the process
    starts; libraries that configure logging themselves (a job worker) are to be told not to.

    Args:
        settings: form and levels.
        stream: where lines go; standard error if not given.
    """
    target = stream or sys.stderr
    root = logging.getLogger()
    for handler in [item for item in root.handlers if item.get_name() == _HANDLER]:
        root.removeHandler(handler)
    handler = logging.NullHandler() if settings.format == "silent" else _handler(settings, target)
    handler.set_name(_HANDLER)
    root.addHandler(handler)
    root.setLevel(_number("critical") + 1 if settings.format == "silent" else _number(settings.level))
    for name in _levelled:
        logging.getLogger(name).setLevel(logging.NOTSET)
    _levelled[:] = settings.levels
    for name, level in settings.levels.items():
        logging.getLogger(name).setLevel(_number(level))
    when_imported("structlog", _configure)


def _configure() -> None:
    from loom.adapters.structlog.lines import configure

    configure()


def _handler(settings: LogSettings, stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(settings, colors=stream.isatty()))
    return handler


class _Formatter(logging.Formatter):
    """The formatter of ``lines``, made for the first line."""

    def __init__(self, settings: LogSettings, *, colors: bool) -> None:
        super().__init__()
        self._settings = settings
        self._colors = colors

    @cached_property
    def _made(self) -> logging.Formatter:
        # structlog first, which has it configured: were ``lines`` to import it, that would need ``lines``.
        import structlog  # noqa: F401

        from loom.adapters.structlog.lines import formatter

        return formatter(self._settings, colors=self._colors)

    def format(self, record: logging.LogRecord) -> str:
        return self._made.format(record)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
